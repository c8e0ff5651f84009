"""An accepted job, watched until its own end: no failed read ends it, nor a laptop that sleeps meanwhile.

`tests/faults` has all the ways to fail. On Windows, the clock by which the wait is measured goes on in sleep.
"""

from __future__ import annotations

import itertools
import re
import sys
from dataclasses import replace

import pytest

from nodes.jobs.claims import Claims
from nodes.jobs.errors import JobExpired
from nodes.jobs.journal import Journal
from nodes.jobs.poll import ENOUGH_HISTORY, LONGEST_POLL, NOT_FOUND_READS, SHORTEST_POLL, PollSchedule
from nodes.runcomfy.errors import ConnectError
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.responses import ApiResponse
from tests.support.fake_runcomfy import BOAT, QUEUED, RUNNING, reads_within, reply
from tests.support.machine import FakeMachine, NewMachine
from tests.support.tiny_mp4 import TINY_MP4


def test_a_status_that_runs_ahead_of_the_result_is_asked_again(machine: FakeMachine) -> None:
    machine.service.script["status"].append(reply(status="completed"))
    machine.service.script["result"].append(reply(status="in_progress"))
    machine.run()
    assert machine.clock.now - 1000 >= QUEUED + RUNNING
    assert all(before != after for before, after in itertools.pairwise(machine.lines)), "no line is shown twice"


GONE = reply(404, error_code=404001)
GATEWAY = ApiResponse(404, {}, b"<html><h1>404 Not Found</h1></html>")


def test_a_404_for_a_while_loses_neither_a_new_job_nor_one_that_was_found_again(new_machine: NewMachine) -> None:
    for kind, answer, age in itertools.product(("status", "result"), (GONE, GATEWAY), (0.0, 10.0, 3600.0)):
        machine = new_machine()
        if age:
            machine.abandon()
            machine.clock.now += age
        machine.service.script[kind] += [answer] * 4
        assert machine.run().request_id == "job-1"
        assert machine.said("404). Trying again") + machine.said("404. Trying again") == 4
        assert machine.service.count("submit") == 1


def test_a_forgotten_job_whose_video_has_arrived_is_finished(machine: FakeMachine) -> None:
    machine.abandon()
    file = machine.folder / "videos" / "job-1.mp4"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(TINY_MP4)
    machine.service.forgotten.add("job-1")
    assert machine.run().files == (file,)
    assert machine.states() == ["saved"]
    assert machine.service.count("submit") == 1


@pytest.mark.parametrize("answer", ["it has no such job", "it failed"])
def test_a_saved_video_that_is_neither_on_disk_nor_at_the_service_is_said_to_be_gone_and_then_bought_anew(
    machine: FakeMachine, answer: str
) -> None:
    good = machine.service.ending
    machine.run().files[0].unlink()
    reads = machine.service.count("result")
    if answer == "it failed":
        machine.service.ending = {"status": "failed", "error": "GPU on fire"}
    else:
        machine.service.forgotten.add("job-1")
    machine.service.before["submit"] = lambda: setattr(machine.service, "ending", good)
    assert "its video is not on this machine" in machine.failed(JobExpired)
    assert machine.service.count("result") >= reads + NOT_FOUND_READS, "one odd answer is not believed"
    assert machine.states() == ["forgotten"]
    assert machine.run().request_id == "job-2"


def test_the_duration_is_learnt_from_a_job_that_was_seen_from_start_to_end(machine: FakeMachine) -> None:
    machine.run()
    (seconds,) = machine.journal.durations(BOAT)
    assert QUEUED + RUNNING <= seconds < QUEUED + RUNNING + 10
    machine.abandon(replace(BOAT, seed=1))
    machine.run(replace(BOAT, seed=1))
    assert machine.journal.durations(BOAT) == [seconds], "one that was found again teaches nothing"


def test_a_clock_that_jumps_harms_nothing(new_machine: NewMachine) -> None:
    for jump in (-86400.0, 86400.0, -1e9):
        machine = new_machine()
        machine.abandon()
        machine.clock.offset += jump
        machine.change(deadline=60.0)
        machine.lines.clear()
        assert machine.run().request_id == "job-1", jump
        ages = [int(age) for line in machine.lines for age in re.findall(r"(-?\d+) s, usually", line)]
        assert ages, jump
        assert all(0 <= age <= 60 + QUEUED + RUNNING for age in ages), jump


def test_a_job_that_another_run_took_over_while_the_machine_slept_is_left_to_that_run(machine: FakeMachine) -> None:
    def take_over() -> None:
        machine.service.before.clear()
        machine.clock.now += 8 * 3600  # in which its claims are not renewed
        (record,) = machine.journal.records()
        assert Claims(machine.journal).acquire(record, "another machine|1|0|run")

    machine.service.before["status"] = take_over
    assert "goes on, since another run" in machine.stopped("being generated already; waiting for it")
    polls = len(machine.service.calls)
    assert machine.run().request_id == "job-1", "the claim has lapsed"
    assert machine.service.count("cancel") == 0
    assert polls < len(machine.service.calls)


HOURS = 2 * 3600.0


@pytest.mark.parametrize("when", ["in a pause", "in a call"])
def test_the_deadline_goes_on_where_it_was_when_the_machine_slept(machine: FakeMachine, when: str) -> None:
    calls = itertools.count(1)
    machine.service.queued = HOURS + 600.0

    def sleep() -> None:
        if next(calls) == 3:
            # The network is not back at once.
            machine.service.script["status"].append(ConnectError("no connection"))
            machine.clock.nap = HOURS * (when == "in a pause")
            machine.clock.now += HOURS * (when == "in a call")

    machine.service.before["status"] = sleep
    assert machine.run().request_id == "job-1"
    assert machine.clock.now > 1000 + HOURS + 600
    assert next(calls) > 11
    assert machine.journal.durations(BOAT) == [], "nobody knows when it ended"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")
def test_a_job_whose_journal_was_replaced_while_the_machine_slept_is_not_bought_again(machine: FakeMachine) -> None:
    """By a copy from elsewhere, say: that it does not know the job does not mean that another run has it."""
    machine.service.queued = HOURS + 600.0
    other = Journal(machine.folder / "other.sqlite3", machine.clock)
    other.records()
    other.close()

    def replace_and_sleep() -> None:
        machine.service.before.clear()
        (machine.folder / "other.sqlite3").replace(machine.folder / "private" / "jobs.sqlite3")
        machine.clock.nap = HOURS

    machine.service.before["status"] = replace_and_sleep
    assert machine.run().request_id == "job-1"
    assert machine.service.count("submit") == 1
    assert machine.states() == ["saved"]


def test_a_job_is_looked_at_seldom_before_it_can_be_ready_and_often_when_it_is_due() -> None:
    for expected in (60.0, 65.0):
        assert reads_within(PollSchedule(expected), 60.0) <= 30, expected
    schedule = PollSchedule(60.0)
    assert schedule.delay(60.0) < schedule.delay(25.0) / 3
    for expected in (2.0, 10.0, 60.0, 600.0):
        for elapsed in (0.0, 1e-6, 1.0, 9.9, 59.9, 600.0, 1e4, 1e6):
            assert SHORTEST_POLL <= PollSchedule(expected).delay(elapsed) <= LONGEST_POLL, (expected, elapsed)


def test_the_documented_times_are_expected_until_there_is_history_of_which_one_odd_job_moves_nothing() -> None:
    for resolution, duration, history, expected in (
        ("480p", 10, [], 50.0),
        ("720p", 10, [], 65.0),
        ("1080p", 10, [], 100.0),
        ("480p", 5, [1.0] * (ENOUGH_HISTORY - 1), 25.0),
        ("480p", 10, [80.0, 82.0, 78.0, 81.0, 79.0], 80.0),
        ("720p", 10, [50.0, 51.0, 49.0, 50.0, 1700.0], 50.0),
    ):
        request = GenerationRequest("x", resolution=resolution, duration=duration)
        assert PollSchedule.from_history(request, history).expected == pytest.approx(expected), (resolution, history)
