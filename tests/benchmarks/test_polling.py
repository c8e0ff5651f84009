"""The poll schedule reaches its goals, on a simulation that is the same every time."""

from __future__ import annotations

import math
from statistics import mean

import pytest

from benchmarks.polling import SEEDS, Outcome, every
from benchmarks.simulation import follow_all, jobs
from nodes.jobs.poll import PollSchedule


def test_the_schedule_sees_ends_sooner_and_with_fewer_calls_than_polling_every_second() -> None:
    users = [jobs(300, seed) for seed in SEEDS[:3]]
    ours = Outcome.of([each for wanted in users for each in follow_all(wanted, PollSchedule.from_history)])
    assert ours.mean_lag < 0.5
    # Polling every second makes a call for every second that a job takes.
    assert ours.calls < 0.6 * mean(job.seconds for wanted in users for job in wanted)
    assert mean(ours.minute_calls) <= 30


def test_the_simulation_counts_a_fixed_schedule_right() -> None:
    for interval in (1.0, 5.0):
        for each in follow_all(jobs(20, 7), every(interval)):
            calls = math.ceil(each.job.seconds / interval)
            assert each.calls == calls, interval
            assert each.lag == pytest.approx(calls * interval - each.job.seconds), interval
