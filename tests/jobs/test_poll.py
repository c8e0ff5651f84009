"""An accepted job, watched until its own end: no failed read ends it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from nodes.jobs.errors import DeadlinePassed, JobCancelled, JobError, JobExpired, JobFailed
from nodes.runcomfy.errors import AuthenticationError, ConnectError, PermissionDenied, ReadError, RunComfyError
from nodes.runcomfy.responses import ApiResponse
from tests.support.fake_runcomfy import BOAT, QUEUED, RUNNING, Answer, FakeMachine, reply
from tests.support.tiny_mp4 import TINY_MP4

NewMachine = Callable[[], FakeMachine]
PASSING: dict[str, Answer] = {
    "refused": ConnectError("no connection"),
    "no answer": ReadError("time-out"),
    "408": reply(408),
    "429": reply(429),
    "500": reply(500),
    "503": reply(503, {"retry-after": "9"}),
    "redirect": reply(302),
    "empty": ApiResponse(200, {}, b""),
    "html": ApiResponse(200, {}, b"<html>busy</html>"),
    "cut": ApiResponse(200, {}, b'{"status": "compl'),
    "a list": ApiResponse(200, {}, b"[]"),
    "no status": reply(),
    "wrong type": reply(status=7),
}


def test_reads_go_on_through_whatever_may_pass(new_machine: NewMachine) -> None:
    for kind, name in itertools.product(("status", "result"), PASSING):
        machine = new_machine()
        machine.service.script[kind] += [PASSING[name]] * 3
        assert machine.run().request_id == "job-1", name
        assert machine.said("Trying again in") >= 1, name
        assert machine.service.count(kind) >= 4, name
        assert machine.service.count("submit") == 1, name
        assert machine.states() == ["saved"], name


def test_an_hour_without_network_is_survived_by_a_long_deadline(machine: FakeMachine) -> None:
    machine.change(deadline=2 * 3600.0)
    machine.service.script["status"] += [ConnectError("no connection")] * 120
    machine.run()
    assert machine.clock.now - 1000 > 1800
    assert machine.states() == ["saved"]


@pytest.mark.parametrize("code", [429, 503])
def test_reads_wait_as_long_as_the_service_asks(machine: FakeMachine, code: int) -> None:
    machine.service.script["status"].append(reply(code, {"retry-after": "40"}))
    machine.run()
    times = [moment for kind, moment in machine.service.calls if kind == "status"]
    assert times[1] - times[0] >= 40


REFUSALS = {
    "401": (reply(401, error_code=400004), AuthenticationError, "RUNCOMFY_API_TOKEN"),
    "403": (reply(403, error_code=403001), PermissionDenied, "the account that made the request"),
    "400": (reply(400, error_code=400001), RunComfyError, "does not know 'job-1'"),
}


def test_a_refusal_ends_the_run_and_the_next_one_collects_the_job(new_machine: NewMachine) -> None:
    for kind, (answer, error, phrase) in itertools.product(("status", "result"), REFUSALS.values()):
        machine = new_machine()
        machine.service.script[kind].append(answer)
        with pytest.raises(error, match=phrase) as caught:
            machine.run()
        assert "job-1" in str(caught.value), phrase
        assert "already accepted the job and may charge" in str(caught.value), phrase
        assert machine.run().request_id == "job-1", phrase
        assert machine.service.count("submit") == 1, phrase


def test_the_deadline_says_that_the_job_goes_on_and_the_next_run_waits_for_it(machine: FakeMachine) -> None:
    machine.change(deadline=10.0)
    with pytest.raises(DeadlinePassed) as caught:
        machine.run()
    message = str(caught.value)
    assert "may charge for it" in message
    assert "go on waiting for this job" in message
    assert 'the last state was "in_progress"' in message
    assert "job-1" in message
    assert machine.clock.now - 1000 == pytest.approx(10, abs=0.2)
    assert machine.states() == ["accepted"]
    machine.change(deadline=60.0)
    assert machine.run().request_id == "job-1"
    assert machine.service.count("submit") == 1


def test_an_unknown_word_counts_as_running_and_is_named(machine: FakeMachine) -> None:
    machine.change(deadline=100.0)
    machine.service.script["status"] += [reply(status="Pondering")] * 500
    with pytest.raises(DeadlinePassed, match='the last state was "pondering"'):
        machine.run()
    assert machine.states() == ["accepted"]


def test_an_unknown_word_of_the_result_is_named_as_well(machine: FakeMachine) -> None:
    machine.change(deadline=100.0)
    machine.service.ending = {"status": "archived"}
    with pytest.raises(DeadlinePassed, match='the last state was "archived"'):
        machine.run()
    assert machine.states() == ["accepted"]


def test_completed_may_mean_failed(machine: FakeMachine) -> None:
    machine.service.ending = {"status": "failed", "error": "GPU on fire"}
    with pytest.raises(JobFailed, match='could not generate the video: "GPU on fire"') as caught:
        machine.run()
    assert "Request id: job-1" in str(caught.value)
    assert "a new job" in str(caught.value)
    assert machine.states() == ["failed"]
    assert machine.records()[0].reason == "GPU on fire"


def test_moderation_is_named_as_such(machine: FakeMachine) -> None:
    policy = {"message": "output violates the policy"}
    for reason in ("Content moderation failed.", "It contains SENSITIVE information", policy, "NSFW content detected"):
        machine.service.ending = {"status": "failed", "error": reason}
        with pytest.raises(JobFailed, match=r"content check refused this prompt.*Rephrase the text") as caught:
            machine.run()
        assert "a new job" not in str(caught.value)


def test_a_failure_without_a_reason_says_so(machine: FakeMachine) -> None:
    machine.service.ending = {"status": "failed"}
    with pytest.raises(JobFailed, match="gave no reason"):
        machine.run()


def test_the_run_after_a_failed_job_is_a_new_job(machine: FakeMachine) -> None:
    good, machine.service.ending = machine.service.ending, {"status": "failed"}
    with pytest.raises(JobFailed):
        machine.run()
    machine.service.ending = good
    assert machine.run().request_id == "job-2"
    assert machine.states() == ["saved", "failed"]


def test_a_job_cancelled_elsewhere_was_free(machine: FakeMachine) -> None:
    machine.service.script["status"].append(reply(status="cancelled"))
    machine.service.script["result"].append(reply(status="cancelled"))
    with pytest.raises(JobCancelled, match=r"Nothing was charged\."):
        machine.run()
    assert machine.states() == ["cancelled"]


def test_a_status_that_runs_ahead_of_the_result_is_asked_again(machine: FakeMachine) -> None:
    machine.service.script["status"].append(reply(status="completed"))
    machine.service.script["result"].append(reply(status="in_progress"))
    machine.run()
    assert machine.clock.now - 1000 >= QUEUED + RUNNING


GONE = reply(404, error_code=404001)
GATEWAY = ApiResponse(404, {}, b"<html><h1>404 Not Found</h1></html>")


def test_a_404_for_a_while_loses_neither_a_new_job_nor_one_that_was_found_again(new_machine: NewMachine) -> None:
    for kind, answer, age in itertools.product(("status", "result"), (GONE, GATEWAY), (0.0, 10.0, 3600.0)):
        machine = new_machine()
        if age:
            abandon(machine)
            machine.clock.now += age
        machine.service.script[kind] += [answer] * 4
        assert machine.run().request_id == "job-1"
        assert machine.said("404). Trying again") + machine.said("404. Trying again") == 4
        assert machine.service.count("submit") == 1


def test_a_gateways_404_ends_no_job_however_long_it_stands(machine: FakeMachine) -> None:
    abandon(machine)
    machine.clock.now += 3600
    machine.service.script["status"] += [GATEWAY] * 200
    with pytest.raises(DeadlinePassed, match="404"):
        machine.run()
    machine.service.script["status"].clear()
    assert machine.run().request_id == "job-1"


def test_a_forgotten_job_whose_video_has_arrived_is_finished(machine: FakeMachine) -> None:
    abandon(machine)
    file = machine.folder / "videos" / "job-1.mp4"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(TINY_MP4)
    machine.service.forgotten.add("job-1")
    assert machine.run().files == (file,)
    assert machine.states() == ["saved"]
    assert machine.service.count("submit") == 1


@pytest.mark.parametrize("kind", ["status", "result"])
def test_a_job_that_the_service_forgot_is_bought_anew_by_the_next_run(machine: FakeMachine, kind: str) -> None:
    abandon(machine)
    machine.service.before[kind] = lambda: machine.service.forgotten.add("job-1")
    machine.service.script[kind].append(reply(404, error_code=404001))
    with pytest.raises(JobExpired, match=r"no longer has this job.*anew, which is charged") as caught:
        machine.run()
    assert "job-1" in str(caught.value)
    assert machine.states() == ["forgotten"]
    assert machine.run().request_id == "job-2"


def test_the_duration_is_learnt_from_a_job_that_was_seen_from_start_to_end(machine: FakeMachine) -> None:
    machine.run()
    (seconds,) = machine.journal.durations(machine.records()[0].request)  # type: ignore[arg-type]  # it was written by us
    assert QUEUED + RUNNING <= seconds < QUEUED + RUNNING + 10


def test_a_job_that_was_found_again_teaches_nothing(machine: FakeMachine) -> None:
    machine.change(deadline=10.0)
    with pytest.raises(JobError):
        machine.run()
    machine.change(deadline=100.0)
    machine.run()
    assert machine.records()[0].seconds is None


@pytest.mark.parametrize("jump", [-86400.0, 86400.0, -1e9])
def test_a_clock_that_jumps_harms_nothing(machine: FakeMachine, jump: float) -> None:
    machine.change(deadline=10.0)
    with pytest.raises(DeadlinePassed):
        machine.run()
    machine.clock.offset += jump
    machine.change(deadline=60.0)
    machine.lines.clear()
    assert machine.run().request_id == "job-1"
    ages = [int(age) for line in machine.lines for age in re.findall(r"(-?\d+) s, usually", line)]
    assert ages
    assert all(0 <= age <= 60 + QUEUED + RUNNING for age in ages)


def test_the_lines_are_the_documented_ones(machine: FakeMachine) -> None:
    machine.run()
    assert "Submitting" in machine.lines
    assert "Queued, 2nd in line, 2 s" in machine.lines
    assert "Generating, 12 s, usually about 10 s" in machine.lines
    assert all(before != after for before, after in itertools.pairwise(machine.lines))


def test_polling_stays_within_its_budget(machine: FakeMachine) -> None:
    # Expected to take as long as it does.
    machine.run(replace(BOAT, duration=5))
    assert machine.service.count("status") + machine.service.count("result") <= 30
    assert machine.service.results_after_the_end() == 1


def abandon(machine: FakeMachine) -> None:
    """A job under way that nobody waits for."""
    machine.change(deadline=5.0)
    with pytest.raises(DeadlinePassed):
        machine.run()
    machine.change(deadline=1800.0)
