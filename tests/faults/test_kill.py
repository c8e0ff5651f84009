"""The generating process is killed all over its run and started again: nothing is bought twice, nothing is lost."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from nodes.rehearsal import Timing
from nodes.rehearsal.render import render
from tests.faults.generations import QUICK, SPAWN, Place, Process
from tests.support.postgres import on_both
from tests.support.real_engine import fast
from tests.support.rehearsal import SMALL, RehearsalService, small_videos

KILLS = 240
AFTER = 8
"""More of them where there are few."""
AT_LEAST = 5 / 6
"""Of them hit what passes by again as it did before."""
SPAWNED = 40
"""Of so many processes one begins with nothing, as all do on Windows, which takes a hundred times as long."""
SIDE_BY_SIDE = 6
"""Lives at once, which wait most of the time."""
WHOLE = "whole"
"""The token of the run that is not killed."""


@dataclass(frozen=True)
class Life:
    """One request's way through a kill and what followed."""

    place: Place
    killed: bool
    outcomes: tuple[str, ...]
    """Of the runs after the kill, up to the video."""
    accepted: int
    """Submissions that the service accepted, in all."""


@pytest.fixture
def service() -> Iterator[RehearsalService]:
    """One account for each kill, so that its submissions can be told apart."""
    tokens = (WHOLE, *(f"kill-{number}" for number in range(KILLS)))
    timing = Timing(queued=1, running=4)
    with RehearsalService(tokens=tokens, timing=timing, clock=fast, make=small_videos()) as service:
        yield service


@on_both
def test_killed_anywhere(
    service: RehearsalService, tmp_path: Path, database: Callable[[], str], request: pytest.FixtureRequest
) -> None:
    """In PostgreSQL at a tenth of them and some after the answer, but in `make faults`."""
    is_quick = "PostgreSQL" in request.node.name and not os.environ.get("ALL_FAULTS")
    kills = KILLS // 10 if is_quick else KILLS
    with Process() as process:
        whole = process.run(service.origin, tmp_path / "whole", WHOLE, traced=True, journal_url=database())
    assert whole.outcome == "video", whole
    film = render(SMALL)
    places = _spread(whole.places, kills)
    if is_quick:  # so few may miss them all
        places += _spread([each for each in whole.places if _is_after_answer(each) and each not in places], AFTER)
    assert len(set(places)) == len(places)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        lived = [threads.submit(_live, service, tmp_path, *each, film, database()) for each in enumerate(places)]
    lives = [life for each in lived if (life := each.result()).killed]
    unknown = [life for life in lives if "unknown" in life.outcomes]
    once = [life for life in lives if life.accepted == 1]
    print(
        f"Killed at {len(lives)} places of the run ({len(whole.places)} counted), started again each time, no file was "
        f"lost or corrupt; submissions accepted: {len(once)} times one, {len(lives) - len(once)} times one more after "
        f"the user had read of an unknown outcome ({len(unknown)} times)"
    )
    assert len(lives) >= AT_LEAST * len(places)
    known = [life for life in lives if _is_after_answer(life.place)]
    assert known, "no kill hit what comes after the answer"
    assert not [life for life in known if life in unknown], "a job that was known was not found"
    assert unknown, "no kill hit the window between the intent and the answer"


def _spread(places: list[Place], count: int) -> list[Place]:
    return [places[number * len(places) // count] for number in range(count)]


def _is_after_answer(place: Place) -> bool:
    return place[0].endswith(("poll.py", "download.py"))


def _live(service: RehearsalService, base: Path, number: int, place: Place, film: bytes, url: str) -> Life:
    token, folder = f"kill-{number}", base / str(number)
    with Process(QUICK if number % SPAWNED else SPAWN) as process:
        first = process.run(service.origin, folder, token, deadly=place, journal_url=url)
        left = _left(folder, url)
        _check_files(folder, film, place)
        outcomes: list[str] = []
        while not outcomes or (outcomes[-1] != "video" and len(outcomes) < 3):
            outcomes.append(process.run(service.origin, folder, token, journal_url=url).outcome)
    # Reported exactly where the intent is all that is known, and then once.
    assert outcomes == (["unknown", "video"] if left == "intended" else ["video"]), (place, left)
    accepted = sum(submission.account == number + 1 for submission in service.submissions)
    assert accepted == 1 or (accepted == 2 and "unknown" in outcomes), (place, accepted)
    _check_files(folder, film, place)
    assert [file.suffix for file in folder.glob("videos/*")] == [".mp4"], place
    return Life(place, first.outcome == "killed", tuple(outcomes), accepted)


def _left(folder: Path, url: str) -> str:
    file = folder / "private" / "jobs.sqlite3"
    if not url and not (file.exists() and file.stat().st_size):
        return "nothing"
    with closing(psycopg.connect(url) if url else sqlite3.connect(file)) as database:
        try:
            row = database.execute("SELECT state FROM paid_jobs").fetchone()
        except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):  # killed before there were tables
            return "nothing"
    return str(row[0]) if row else "nothing"


def _check_files(folder: Path, film: bytes, place: Place) -> None:
    """What has its final name is whole."""
    assert all(file.read_bytes() == film for file in folder.glob("videos/[!.]*.mp4")), place
