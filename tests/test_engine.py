"""The engine as ComfyUI, the terminal and the benchmarks hold it: one object for everything that lives."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nodes.engine import Engine, Folders
from nodes.errors import SeedanceError
from nodes.jobs.errors import Stopped
from nodes.jobs.job import Video
from nodes.jobs.listing import submit_again
from nodes.jobs.quote import Quote, QuoteKind
from nodes.jobs.records import RequestKey, State
from nodes.jobs.waiting import Run
from nodes.rehearsal import Timing
from nodes.runcomfy.errors import MissingToken
from nodes.runcomfy.request import GenerationRequest
from tests.support.job_records import record_in
from tests.support.rehearsal import RehearsalService
from tests.support.tiny_mp4 import TINY_MP4


def a_run(is_stopped: Callable[[], bool] = lambda: False) -> Run:
    return Run("key", "prompt", show=lambda _: None, is_stopped=is_stopped)


@pytest.fixture
def environment() -> dict[str, str]:
    return {}


@pytest.fixture
def engine(tmp_path: Path, environment: dict[str, str]) -> Iterator[Engine]:
    with closing(Engine(Folders(tmp_path / "videos", tmp_path / "private"), environment, "tests")) as engine:
        yield engine


def generated(engine: Engine, text: str = "A paper boat", *, rehearsal: bool) -> Video:
    request = GenerationRequest(text, duration=2)
    return asyncio.run(engine.generate(request, rehearsal=rehearsal, reuse=True, run=a_run()))


def test_the_token_and_the_service_are_looked_up_for_every_video(engine: Engine, environment: dict[str, str]) -> None:
    with pytest.raises(MissingToken):
        generated(engine, rehearsal=False)
    for token in ("one", "another"):
        with RehearsalService(tokens=(token,), timing=Timing(queued=0.0, running=0.1)) as service:
            environment.update(RUNCOMFY_API_TOKEN=token, RUNCOMFY_API_BASE_URL=service.origin)
            assert generated(engine, token, rehearsal=False).request_id == service.submissions[0].request_id
    assert len(engine.journal.records(9)) == 2


def test_how_many_jobs_may_be_at_the_service_is_looked_up_for_every_video(
    engine: Engine, environment: dict[str, str]
) -> None:
    environment["RUNCOMFY_API_TOKEN"] = "one"
    for written, jobs in ((None, 0), ("1", 1), (" 20 ", 20), ("", 0)):
        environment.update({} if written is None else {"SEEDANCE_MAX_JOBS": written})
        assert engine.live_account().max_jobs == jobs, written
    for wrong in ("many", "-1", "1.5", "²"):
        environment["SEEDANCE_MAX_JOBS"] = wrong
        with pytest.raises(SeedanceError, match=r"^SEEDANCE_MAX_JOBS has to be a whole number\. Nothing was charged\."):
            generated(engine, rehearsal=False)


def test_each_folder_is_a_server_of_its_own_whatever_their_machines_are_called(tmp_path: Path) -> None:
    """What one of them has reported, the other's user has not read."""
    names: list[str] = []
    for folder in ("one", "another", "one"):
        with closing(Engine(Folders(tmp_path / "videos", tmp_path / folder), {}, "comfyui 8188")) as engine:
            record = record_in(State.UNKNOWN, engine.journal, RequestKey(f"{len(names)}", "account", ""))
            submit_again(engine.journal, engine.reports, record.id)
            names.append(engine.journal.records(1)[0].reported_by)
    assert names[0] == names[2] != names[1]


def test_rehearsals_need_no_token_find_their_videos_again_and_leave_no_record(engine: Engine) -> None:
    first, second = (generated(engine, rehearsal=True) for _ in range(2))
    assert (first.reused, second.reused) == (False, True)
    assert first.files == second.files
    assert engine.journal.records(9) == []


def test_a_rehearsal_is_free_whatever_the_budget_and_is_said_to_be(engine: Engine, environment: dict[str, str]) -> None:
    environment["SEEDANCE_MAX_USD_PER_DAY"] = "with which nothing live is bought"
    generated(engine, rehearsal=True)
    request = GenerationRequest("A paper boat", duration=2)
    assert engine.quote([request] * 2, rehearsal=True, reuse=True) == Quote(QuoteKind.REHEARSAL, 2)
    without_token = engine.quote([request] * 2, rehearsal=False, reuse=True)
    assert without_token == Quote(QuoteKind.UNKNOWN, 2, 2, None)


def test_a_video_that_is_on_disk_needs_neither_token_nor_service(engine: Engine) -> None:
    file = engine.folders.videos / "job-1.mp4"
    file.parent.mkdir()
    file.write_bytes(TINY_MP4)
    assert asyncio.run(engine.fetch_job("job-1", a_run())) == Video("job-1", (file,), reused=True)


def test_what_cannot_be_recorded_or_saved_is_not_bought_and_what_is_on_disk_can_still_be_loaded(
    engine: Engine, environment: dict[str, str]
) -> None:
    with RehearsalService(tokens=("one",)) as service:
        environment.update(RUNCOMFY_API_TOKEN="one", RUNCOMFY_API_BASE_URL=service.origin)
        journal = engine.folders.private / "jobs.sqlite3"
        journal.mkdir()
        with pytest.raises(SeedanceError, match=r"cannot be used \(.*\): .*jobs\.sqlite3\. Nothing was charged\."):
            generated(engine, rehearsal=False)
        assert engine.load_file(generated(engine, rehearsal=True).files[0]).reused
        journal.rmdir()
        engine.folders.videos.rename(engine.folders.videos.with_name("away"))
        engine.folders.videos.write_bytes(b"no folder")
        with pytest.raises(SeedanceError, match=r"cannot be written to .* Nothing was charged\. Make it writable"):
            generated(engine, rehearsal=False)
        assert not service.submissions


def test_closed_it_begins_nothing_and_may_be_closed_again(engine: Engine) -> None:
    generated(engine, rehearsal=True)
    engine.close()
    with pytest.raises(RuntimeError):
        engine.executors.calls.submit(int)
    engine.close()


def test_stop_before_a_link_is_fetched_or_while_a_journal_does_not_answer_says_so_at_once(engine: Engine) -> None:
    asked = threading.Event()
    engine.executors.journal.submit(asked.wait, 30)

    def is_stopped() -> bool:
        asked.set()
        return True

    with pytest.raises(Stopped, match="Stopped while looking for the video"):
        asyncio.run(engine.fetch_job("job-1", a_run(is_stopped)))
    with pytest.raises(Stopped, match="Stopped while downloading"):
        asyncio.run(engine.fetch_link("https://example.invalid/a.mp4", a_run(is_stopped)))
