"""What the journal adds to a job, on both databases: `python -m benchmarks.journal`."""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

from nodes.jobs.claims import Claims
from nodes.jobs.clock import SystemClock
from nodes.jobs.journal import Journal
from nodes.jobs.records import RequestKey, State
from nodes.runcomfy.request import GenerationRequest
from tests.support.postgres import Postgres

from .machine import describe
from .report import publish, table

PROCESSES: Final = 8
JOBS: Final = 25
"""Of each process, at once."""
HEAD: Final = ("Journal", "processes", "jobs at once", "p50 ms", "p95 ms")
REQUEST: Final = GenerationRequest("A paper boat")
spawning = multiprocessing.get_context("spawn")


def one_job(journal: Journal, claims: Claims, name: str) -> float:
    """All that a run does with the journal; the seconds that it takes."""
    key = RequestKey(name, "account", "https://runcomfy")
    began = time.perf_counter()
    owner = claims.join(lambda: False)
    seen = journal.of_request(key)
    journal.media_hosts(key.origin)
    intent = journal.create(seen, key, "", REQUEST, owner, None, 10**6)
    assert intent
    accepted = journal.accept(intent, f"id-of-{name}")
    journal.durations(REQUEST)
    succeeded = journal.transition(accepted, State.SUCCEEDED, cost=0.1, seconds=60.0, files=(f"{name}.mp4",))
    journal.transition(succeeded, State.SAVED)
    claims.leave(owner)
    claims.give_back(owner)
    return time.perf_counter() - began


def work(number: int, jobs: int, threads: int, file: Path, url: str, together: threading.Barrier) -> list[float]:
    """One process."""
    with closing(Journal(file, SystemClock(), url)) as journal, ThreadPoolExecutor(threads) as pool:
        claims = Claims(journal)
        journal.records()
        together.wait()
        took = list(pool.map(lambda job: one_job(journal, claims, f"{number}-{job}"), range(jobs)))
        claims.close()
        return took


def measure(processes: int, jobs: int, threads: int, file: Path, url: str) -> list[float]:
    """Seconds of each job of all processes."""
    with spawning.Manager() as manager, spawning.Pool(processes) as pool:
        together = manager.Barrier(processes)
        works = [(number, jobs, threads, file, url, together) for number in range(processes)]
        return [seconds for found in pool.starmap(work, works, 1) for seconds in found]


def row(name: str, processes: int, at_once: int, took: Sequence[float]) -> list[str]:
    """Of the table."""
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    return [name, str(processes), str(at_once), f"{p50 * 1000:.1f}", f"{p95 * 1000:.1f}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and publish. Returns 0: a missed goal is no failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer jobs; README.md stays as it is")
    chosen = parser.parse_args(arguments)
    machine, jobs, rows = describe(), 5 if chosen.quick else JOBS, []
    with tempfile.TemporaryDirectory() as folder, Postgres(durable=True) as postgres:
        for name, new_url in (("SQLite", str), ("PostgreSQL", postgres.new_database)):
            alone = measure(1, 4 * jobs, 1, Path(folder) / "alone.sqlite3", new_url())
            crowd = measure(PROCESSES, jobs, jobs, Path(folder) / "crowd.sqlite3", new_url())
            rows += [row(name, 1, 1, alone), row(name, PROCESSES, PROCESSES * jobs, crowd)]
    publish("journal", machine, table(HEAD, rows), goals=[], quick=chosen.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
