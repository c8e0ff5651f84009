"""When the service is asked: seldom before a job can be ready, often when it is due."""

from __future__ import annotations

import itertools

import pytest

from nodes.jobs.poll_schedule import ENOUGH_HISTORY, LONGEST, SHORTEST, PollSchedule
from nodes.runcomfy.request import GenerationRequest

BUDGET = 30


def looks(schedule: PollSchedule, until: float) -> list[float]:
    """The moments at which a job that ends at ``until`` is looked at."""
    moments, now = [], 0.0
    while now < until:
        now += schedule.delay(now)
        moments.append(now)
    return moments


def test_a_job_of_a_minute_costs_at_most_thirty_calls() -> None:
    for expected in (60.0, 65.0):
        assert len(looks(PollSchedule(expected), 60.0)) <= BUDGET, expected


def test_looks_are_never_closer_than_the_shortest_nor_further_apart_than_the_longest() -> None:
    for expected in (2.0, 10.0, 60.0, 600.0):
        moments = [0.0, *looks(PollSchedule(expected), 1800.0)]
        gaps = [after - before for before, after in itertools.pairwise(moments)]
        assert min(gaps) >= SHORTEST - 1e-9, expected
        assert max(gaps) <= LONGEST + 1e-9, expected


def test_a_job_is_looked_at_more_often_when_it_is_due() -> None:
    schedule = PollSchedule(60.0)
    assert schedule.delay(60.0) < schedule.delay(25.0) / 3


def test_every_age_has_a_pause() -> None:
    for elapsed in (0.0, 1e-6, 59.9, 1e4, 1e6):
        assert SHORTEST <= PollSchedule(60.0).delay(elapsed) <= LONGEST, elapsed


def test_without_history_the_documented_times_are_expected() -> None:
    for resolution, duration, expected in (
        ("480p", 10, 50.0),
        ("720p", 10, 65.0),
        ("1080p", 10, 100.0),
        ("480p", 5, 25.0),
    ):
        request = GenerationRequest("x", resolution=resolution, duration=duration)
        assert PollSchedule.learnt(request, [1.0] * (ENOUGH_HISTORY - 1)).expected == pytest.approx(expected)


def test_history_moves_the_expectation_and_one_odd_job_does_not_carry_it_away() -> None:
    for history, expected in (([80.0, 82.0, 78.0, 81.0, 79.0], 80.0), ([50.0, 51.0, 49.0, 50.0, 1700.0], 50.0)):
        assert PollSchedule.learnt(GenerationRequest("x"), history).expected == pytest.approx(expected)
