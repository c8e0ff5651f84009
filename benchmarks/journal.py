"""What the journal adds to a job, on both databases: `python -m benchmarks.journal`."""

from __future__ import annotations

import multiprocessing
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from nodes.jobs.budget import Purchase
from nodes.jobs.claims import Claims
from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from nodes.jobs.records import Order, RequestKey, State
from nodes.jobs.waiting import Clock
from nodes.runcomfy.request import GenerationRequest
from tests.support.postgres import Postgres

from .machine import describe
from .report import is_quick, publish, table

PROCESSES: Final = 8
JOBS: Final = 25
"""Of each process, at once."""
PAUSE: Final = 4.0
"""Seconds at most between two steps of a job that is one of many, which takes a quarter of a minute so."""
P = ParamSpec("P")
T = TypeVar("T")
HEAD: Final = ("Journal", "processes", "jobs at once", "p50 ms", "p95 ms")
REQUEST: Final = GenerationRequest("A paper boat")
spawning = multiprocessing.get_context("spawn")


def one_job(journal: Journal, claims: Claims, name: str, pause: float) -> float:
    """All that a run does with the journal, with pauses in between; the seconds that it takes without them."""
    key = RequestKey(name, "account", "https://runcomfy")
    took = 0.0

    def timed(work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        nonlocal took
        began = time.perf_counter()
        result = work(*args, **options)
        took += time.perf_counter() - began
        time.sleep(random.uniform(0, pause))
        return result

    owner = claims.register(lambda: False)
    seen = timed(journal.of_request, key)
    timed(journal.media_hosts, key.origin)
    intent = timed(journal.create, Order(REQUEST, key), seen, owner, Purchase(max_jobs=10**6))
    assert intent
    accepted = timed(journal.accept, intent, f"id-of-{name}")
    timed(journal.durations, REQUEST)
    ended = timed(journal.transition, accepted, State.SUCCEEDED, cost=0.1, seconds=60.0, files=(f"{name}.mp4",))
    timed(journal.transition, ended, State.SAVED)
    claims.unregister(owner)
    timed(claims.release, owner)
    return took


def work(
    number: int, jobs: int, threads: int, pause: float, file: Path, url: str, together: threading.Barrier
) -> list[float]:
    """One process."""
    with closing(Journal(file, Clock(), url)) as journal, ThreadPoolExecutor(threads) as pool:
        claims = Claims(journal)
        journal.records()
        together.wait()
        try:
            took = list(pool.map(lambda job: one_job(journal, claims, f"{number}-{job}", pause), range(jobs)))
        except JournalUnusable as error:
            raise RuntimeError(str(error)) from None  # which passes from process to process
        claims.close()
        return took


def measure(processes: int, jobs: int, threads: int, pause: float, file: Path, url: str) -> list[float]:
    """Seconds of each job of all processes."""
    with spawning.Manager() as manager, spawning.Pool(processes) as pool:
        together = manager.Barrier(processes)
        works = [(number, jobs, threads, pause, file, url, together) for number in range(processes)]
        return [seconds for found in pool.starmap(work, works, 1) for seconds in found]


def row(name: str, processes: int, at_once: int, took: Sequence[float]) -> list[str]:
    """Of the table."""
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    return [name, str(processes), str(at_once), f"{p50 * 1000:.1f}", f"{p95 * 1000:.1f}"]


def main(*, quick: bool) -> None:
    """Measure and publish."""
    machine, jobs, rows = describe(), 5 if quick else JOBS, []
    with tempfile.TemporaryDirectory() as folder, Postgres(durable=True) as postgres:
        for name, new_url in (("SQLite", str), ("PostgreSQL", postgres.new_database)):
            alone = measure(1, 4 * jobs, 1, 0, Path(folder) / "alone.sqlite3", new_url())
            crowd = measure(PROCESSES, jobs, jobs, PAUSE, Path(folder) / "crowd.sqlite3", new_url())
            rows += [row(name, 1, 1, alone), row(name, PROCESSES, PROCESSES * jobs, crowd)]
    publish("journal", machine, table(HEAD, rows), goals=[], quick=quick)


if __name__ == "__main__":
    main(quick=is_quick(__doc__))
