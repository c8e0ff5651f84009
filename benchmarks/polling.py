"""How soon the end of a job is seen, and how many calls that takes: `python -m benchmarks.polling`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, quantiles
from typing import Final

from nodes.jobs.poll import PollSchedule
from nodes.runcomfy.request import GenerationRequest
from tests.support.fake_runcomfy import reads_within

from .report import Verdict, is_quick, publish, table
from .simulation import Followed, ScheduleFor, follow_all, jobs

JOBS: Final = 300
SEEDS: Final = (1, 2, 3, 4, 5)
"""One a user; each begins without history, and learns from all of their jobs."""
ABOUT_A_MINUTE: Final = (58.0, 62.0)
"""Seconds."""
HEAD: Final = ("Schedule", "mean lag s", "95th percentile s", "calls per job", "calls, job of a minute", "most")


@dataclass(frozen=True)
class Every(PollSchedule):
    """Asks at a fixed interval."""

    expected: float = 60.0
    interval: float = 1.0

    def delay(self, elapsed: float) -> float:  # noqa: ARG002  the interval is all it knows
        return self.interval


def every(seconds: float) -> ScheduleFor:
    """The same fixed schedule whatever is asked for."""

    def schedule(_request: GenerationRequest, _history: list[float]) -> PollSchedule:
        return Every(interval=seconds)

    return schedule


SCHEDULES: Final[dict[str, ScheduleFor]] = {
    "this pack": PollSchedule.from_history,
    "every 1 s": every(1.0),
    "every 5 s": every(5.0),
}


@dataclass(frozen=True)
class Outcome:
    """One schedule over all jobs."""

    mean_lag: float
    """Seconds."""
    late_lag: float
    """Seconds; 95 % of the jobs are seen sooner."""
    calls: float
    """Reads per job: calls for its status or its result."""
    minute_calls: tuple[int, ...]
    """Reads of each job that takes about a minute."""

    @classmethod
    def of(cls, followed: Sequence[Followed]) -> Outcome:
        """Sum up."""
        lags = [each.lag for each in followed]
        shortest, longest = ABOUT_A_MINUTE
        minute = tuple(each.calls for each in followed if shortest <= each.job.seconds <= longest)
        return cls(mean(lags), quantiles(lags, n=20)[-1], mean(each.calls for each in followed), minute)


def compare() -> dict[str, Outcome]:
    """Every schedule over the same jobs."""
    users = [jobs(JOBS, seed) for seed in SEEDS]
    return {
        name: Outcome.of([each for wanted in users for each in follow_all(wanted, schedule)])
        for name, schedule in SCHEDULES.items()
    }


def as_table(outcomes: dict[str, Outcome]) -> str:
    """As Markdown."""
    return table(HEAD, [[name, *_cells(outcome)] for name, outcome in outcomes.items()])


def _cells(outcome: Outcome) -> list[str]:
    minute = outcome.minute_calls
    figures = [f"{value:.2f}" for value in (outcome.mean_lag, outcome.late_lag)]
    return [*figures, f"{outcome.calls:.1f}", f"{mean(minute):.1f}" if minute else "-", str(max(minute, default="-"))]


def verdicts(outcomes: dict[str, Outcome]) -> list[Verdict]:
    """The goals for this pack's schedule."""
    ours, second = outcomes["this pack"], outcomes["every 1 s"]
    return [
        Verdict("mean lag in seconds", ours.mean_lag, 0.5),
        Verdict("reads, of those that 1 s polling makes", ours.calls / second.calls, 0.99),
        Verdict("reads for a job of 60 s as expected", reads_within(PollSchedule(60.0), 60.0), 30),
    ]


def main(*, quick: bool) -> None:
    """Simulate and publish."""
    outcomes = compare()
    begin = f"{JOBS} simulated jobs for each of {len(SEEDS)} users, the same for every schedule."
    publish("polling", begin, as_table(outcomes), goals=verdicts(outcomes), quick=quick)


if __name__ == "__main__":
    main(quick=is_quick(__doc__))
