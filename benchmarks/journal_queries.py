"""How long prices, the budget and the jobs panel take in a large journal: `python -m benchmarks.journal_queries`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from nodes.jobs.budget import Limit, Purchase, count_anew, refusal
from nodes.jobs.claims import Claims
from nodes.jobs.journal import Journal
from nodes.jobs.listing import page
from nodes.jobs.quote import quote
from nodes.jobs.records import Order, RequestKey, State
from nodes.jobs.tables import JOBS
from nodes.jobs.waiting import Clock
from nodes.runcomfy.request import RESOLUTIONS, GenerationRequest
from nodes.runcomfy.responses import ModelInfo

from .machine import describe
from .report import Verdict, is_quick, median_ms, publish, table

JOBS_OF_A_YEAR: Final = 100_000
YEAR: Final = 365 * 86400.0
ROUNDS: Final = 50
AT_MOST: Final = 10.0
"""Milliseconds."""
ASKED: Final = GenerationRequest("A paper boat", duration=5)


def _key(request: GenerationRequest) -> RequestKey:
    return RequestKey.of(request, account="account", origin="https://runcomfy")


def fill(journal: Journal, jobs: int, seconds: float) -> None:
    """Write so many finished jobs of all kinds, bought at even intervals until now."""
    begin = journal.now() - seconds
    rows = []
    for number in range(jobs):
        request = replace(ASKED, seed=number, resolution=RESOLUTIONS[number % 3], duration=2 + number // 3 % 11)
        key, created = _key(request), begin + (number + 0.5) * seconds / jobs
        rows.append(
            {
                "uid": f"{number:032x}",
                "request_key": key.request,
                "account": key.account,
                "origin": key.origin,
                "state": State.SAVED,
                "request": request.canonical(),
                "resolution": request.resolution,
                "duration": request.duration,
                "request_id": f"job-{number}",
                "created": created,
                "changed": created,
                "cost": 0.02 * request.duration,
                "files": [f"job-{number}.mp4"],
            }
        )
    journal.database.transact(lambda connection: connection.execute(JOBS.insert(), rows))


def measure(folder: Path, jobs: int, rounds: int) -> dict[str, float]:
    """Median milliseconds of each question."""
    journal = Journal(folder / "jobs.sqlite3", Clock())
    fill(journal, jobs, YEAR)
    claims = Claims(journal)
    bought = journal.records(1)[0].request
    assert bought

    def ask(*requests: GenerationRequest) -> None:
        quote([Order(request, _key(request)) for request in requests], claims, folder, ModelInfo)

    def check(limit: int) -> None:
        purchase = Purchase(100_000, Limit(limit))

        def look(connection: Connection) -> None:
            now = journal.now()
            count_anew(connection, now, now)
            refusal(connection, now, purchase)

        journal.database.transact(look)

    questions: dict[str, Callable[[], object]] = {
        "quote: a new video": lambda: ask(ASKED),
        "quote: one that was bought": lambda: ask(bought),
        "quote: 200 new videos": lambda: ask(*(replace(ASKED, seed=number) for number in range(200))),
        "budget: it fits": lambda: check(10**12),
        "budget: it does not": lambda: check(200_000),
        "panel: the newest page": lambda: page(journal, folder),
    }
    found = {name: median_ms(question, rounds) for name, question in questions.items()}
    claims.close()
    journal.close()
    return found


def main(*, quick: bool) -> None:
    """Measure and publish."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), JOBS_OF_A_YEAR, 5 if quick else ROUNDS)
    begin = f"{describe()} {JOBS_OF_A_YEAR:,} jobs of a year, median of {ROUNDS} times."
    rows = [[name, f"{taken:.2f}"] for name, taken in found.items()]
    goals = [Verdict(f"{name}: milliseconds", taken, AT_MOST) for name, taken in found.items()]
    publish("journal_queries", begin, table(("Question", "ms"), rows), goals=goals, quick=quick)


if __name__ == "__main__":
    main(quick=is_quick(__doc__))
