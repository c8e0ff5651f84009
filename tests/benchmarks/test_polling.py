"""The poll schedule reaches its goal, on a simulation that is the same every time."""

from __future__ import annotations

import math
from statistics import mean

import pytest

from benchmarks import polling
from benchmarks.polling import SEEDS, Outcome, as_table, calls_within, every, verdicts
from benchmarks.simulation import follow_all, jobs
from nodes.jobs.poll_schedule import PollSchedule


def test_the_schedule_sees_ends_sooner_and_with_fewer_calls_than_polling_every_second() -> None:
    users = [jobs(300, seed) for seed in SEEDS[:3]]
    ours = Outcome.of([each for wanted in users for each in follow_all(wanted, PollSchedule.learnt)])
    assert ours.mean_lag < 0.5
    # Polling every second makes a call for every second that a job takes.
    assert ours.calls < 0.6 * mean(job.seconds for wanted in users for job in wanted)
    assert mean(ours.minute_calls) <= 30


def test_a_job_of_a_minute_as_expected_takes_at_most_thirty_calls() -> None:
    assert calls_within(PollSchedule(60.0), 60.0) <= 30


@pytest.mark.parametrize("interval", [1.0, 5.0])
def test_the_simulation_counts_a_fixed_schedule_right(interval: float) -> None:
    for each in follow_all(jobs(20, 7), every(interval)):
        calls = math.ceil(each.job.seconds / interval)
        assert each.calls == calls
        assert each.lag == pytest.approx(calls * interval - each.job.seconds)


def test_jobs_are_the_same_for_a_seed_and_spread_about_the_published_times() -> None:
    made = jobs(400, 3)
    assert made == jobs(400, 3)
    logs = [math.log(job.seconds / {"480p": 25, "720p": 65, "1080p": 120}[job.request.resolution]) for job in made]
    assert mean(logs) == pytest.approx(0, abs=0.05)
    assert math.sqrt(mean(log * log for log in logs)) == pytest.approx(0.25, abs=0.03)


MISSED = {
    "this pack": Outcome(0.7, 2.0, 80.0, (20, 29)),
    "every 1 s": Outcome(0.5, 0.9, 60.0, (59, 61)),
}


def test_a_missed_goal_is_called_missed() -> None:
    assert [verdict.met for verdict in verdicts(MISSED)] == [False, False, True]
    assert "| this pack |       0.70 |" in as_table(MISSED)


def test_a_missed_goal_is_no_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`make bench` would stop before the benchmarks behind it."""
    monkeypatch.setattr(polling, "compare", lambda: MISSED)
    assert polling.main(["--quick"]) == 0
    assert "MISSED: mean lag" in capsys.readouterr().out
