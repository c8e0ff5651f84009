"""What the benchmark of many jobs makes of its measurements, and one small crowd for real."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.crowd import Sample
from benchmarks.many_jobs import Row, as_tables, measure, of_one, verdicts
from benchmarks.service import Look
from nodes.rehearsal import JobState, Timing
from tests.support.rehearsal import Submission

SAID = "Stopped. Job {} was still queued and is cancelled. Nothing was charged."


def row(jobs: int, wall: float, *, latency: float = 0.0, threads: int = 16, stopped: bool = False) -> Row:
    """A crowd in which everything is as it should be; each video takes 0.1 s to decode."""
    ids = [f"job-{number}" for number in range(jobs)]
    state = JobState.CANCELLED if stopped else JobState.SUCCEEDED
    made = [Submission(each, 0, {"seed": n}, state) for n, each in enumerate(ids)]
    outcomes = tuple(SAID.format(each) if stopped else each for each in ids)
    sample = Sample(jobs, wall, jobs * 0.1, 4.0 if stopped else 0.0, threads, 2**28, outcomes)
    return Row(latency, sample, Look(Counter(status=jobs * 20), tuple(made)))


ONE, MANY, STOPPED = row(1, 20.1), row(200, 44.0), row(200, 2.0, stopped=True)


def test_decoding_is_no_part_of_what_is_compared() -> None:
    assert of_one(MANY, [ONE, MANY]) == pytest.approx(24.0 / 20.1)


def test_crowds_are_compared_with_one_job_at_the_same_latency() -> None:
    slow = [row(1, 21.0, latency=0.15), row(200, 62.0, latency=0.15)]
    assert of_one(slow[1], [ONE, MANY, *slow]) == pytest.approx(2.0)


def test_every_goal_can_be_met_and_missed() -> None:
    assert all(verdict.met for verdict in verdicts([ONE, MANY], [STOPPED]))
    late = replace(STOPPED, sample=replace(STOPPED.sample, settling=5.1, outcomes=STOPPED.sample.outcomes[1:]))
    swapped = (MANY.sample.outcomes[1], MANY.sample.outcomes[0], *MANY.sample.outcomes[2:])
    slow = replace(MANY, sample=replace(MANY.sample, wall=45.0, threads=17, outcomes=swapped))
    missed = verdicts([ONE, slow], [late])
    assert [verdict.met for verdict in missed] == [False] * 5
    assert [verdict.reached for verdict in missed[1:3]] == [17, 2]


def test_a_job_that_only_the_pack_calls_cancelled_does_not_count() -> None:
    charged = tuple(replace(job, state=JobState.SUCCEEDED) for job in STOPPED.look.jobs)
    assert replace(STOPPED, look=replace(STOPPED.look, jobs=charged)).cancelled == 0


def test_the_tables_show_every_crowd() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in as_tables([ONE, MANY], [STOPPED]).splitlines()]
    assert ["200", "0", "44.0", "20.0", "1.19", "16", "256", "20.0"] in rows
    assert ["200", "0", "4.00", "200"] in rows


def test_a_small_crowd_for_real() -> None:
    brought = measure(3, 0.01, Timing(queued=0.2, running=0.5))
    assert brought.out_of_order == 0
    assert brought.sample.decoding > 0
    assert 0 < brought.sample.threads <= 16
    assert brought.look.calls["submit"] == 3

    stopped = measure(3, 0.01, Timing(queued=600), stop=True)
    assert stopped.cancelled == 3
    assert stopped.sample.settling > 0
