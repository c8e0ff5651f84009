"""Hundreds of jobs in flight, and Stop among them: `python -m benchmarks.many_jobs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nodes.rehearsal import JobState, Timing
from tests.support.rehearsal import RehearsalService, Submission, small_videos

from .crowd import Sample, run
from .machine import describe
from .report import Verdict, is_quick, publish, table

JOBS: Final = (1, 10, 50, 200)
LATENCIES: Final = (0.0, 0.15)
"""Seconds of a call, and as much again for a new connection."""
TIMING: Final = Timing(queued=1, running=19)
QUICK_TIMING: Final = Timing(queued=1, running=5)
FOR_EVER: Final = Timing(queued=3600)
"""So that Stop finds all jobs in the queue."""
HEAD: Final = ("Jobs", "latency ms", "wall s", "decoding s", "rest, of one job's", "threads", "MB", "reads a job")
STOP_HEAD: Final = ("Stop with so many jobs", "latency ms", "s until all are settled", "cancelled")


@dataclass(frozen=True)
class Row:
    """One crowd of jobs at one service."""

    latency: float
    """Seconds."""
    sample: Sample
    reads: int
    """Calls for the state or the result of a job."""
    jobs: tuple[Submission, ...]
    """At the service, in the order in which they were accepted."""

    @property
    def rest(self) -> float:
        """Seconds that do not go to decoding, which takes its time for each video."""
        return self.sample.wall - self.sample.decoding

    @property
    def out_of_order(self) -> int:
        """Items that brought another item's video, or none."""
        seeds = {job.request_id: job.input["seed"] for job in self.jobs}
        return sum(seeds.get(job) != item for item, job in enumerate(self.sample.outcomes))

    @property
    def cancelled(self) -> int:
        """Jobs that Stop took out of the queue and of which the user has read so."""
        at_the_service = {job.request_id for job in self.jobs if job.state is JobState.CANCELLED}
        cancelled = [said for said in self.sample.outcomes if "is cancelled. Nothing was charged." in said]
        return sum(any(job in said for said in cancelled) for job in at_the_service)


def measure(jobs: int, latency: float, timing: Timing, *, stop: bool = False) -> Row:
    """Run one crowd, which has a process of its own, at a service in this one."""
    with RehearsalService(timing=timing, make=small_videos(), latency=latency) as service:
        sample = run(jobs, service.origin, stop=stop)
        reads = sum(service.calls["GET", call] for call in ("status", "result"))
        return Row(latency, sample, reads, service.submissions)


def of_one(row: Row, rows: Sequence[Row]) -> float:
    """How much of one job's wall time a crowd takes, decoding aside."""
    (one,) = (each for each in rows if each.sample.jobs == 1 and each.latency == row.latency)
    return row.rest / one.sample.wall


def as_tables(rows: Sequence[Row], stopped: Sequence[Row]) -> str:
    """As Markdown."""
    jobs = [
        [
            str(row.sample.jobs),
            f"{row.latency * 1000:.0f}",
            f"{row.sample.wall:.1f}",
            f"{row.sample.decoding:.1f}",
            f"{of_one(row, rows):.2f}",
            str(row.sample.threads),
            f"{row.sample.memory / 2**20:.0f}",
            f"{row.reads / row.sample.jobs:.1f}",
        ]
        for row in rows
    ]
    stops = [
        [str(row.sample.jobs), f"{row.latency * 1000:.0f}", f"{row.sample.settling:.2f}", str(row.cancelled)]
        for row in stopped
    ]
    return f"{table(HEAD, jobs)}\n\n{table(STOP_HEAD, stops)}"


def verdicts(rows: Sequence[Row], stopped: Sequence[Row]) -> list[Verdict]:
    """The goals: for the most jobs, at a service that answers at once, and for Stop at any."""
    most = max((row for row in rows if not row.latency), key=lambda row: row.sample.jobs)
    name = f"{most.sample.jobs} jobs"
    found = [
        Verdict(f"{name}: wall time without decoding, of one job's", of_one(most, rows), 1.2),
        Verdict("threads of this pack", max(row.sample.threads for row in (*rows, *stopped)), 16),
        Verdict("results out of order", sum(row.out_of_order for row in rows), 0),
    ]
    for row in stopped:
        stop = f"Stop with {row.sample.jobs} jobs at {row.latency * 1000:.0f} ms"
        found.append(Verdict(f"{stop}: seconds until all are settled", row.sample.settling, 5))
        found.append(Verdict(f"{stop}: jobs that were not cancelled", row.sample.jobs - row.cancelled, 0))
    return found


def main(*, quick: bool) -> None:
    """Measure and publish."""
    machine = describe()
    crowds, timing = ((1, 50), QUICK_TIMING) if quick else (JOBS, TIMING)
    rows = [measure(jobs, latency, timing) for latency in LATENCIES for jobs in crowds]
    stopped = [measure(max(crowds), latency, FOR_EVER, stop=True) for latency in LATENCIES]
    seconds = timing.queued + timing.running
    begin = f"{machine} Each job takes {seconds:g} s at the service, and brings a video of 480p and 2 s."
    publish("many_jobs", begin, as_tables(rows, stopped), goals=verdicts(rows, stopped), quick=quick)


if __name__ == "__main__":
    main(quick=is_quick(__doc__))
