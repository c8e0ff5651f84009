"""An accepted job, watched until its own end: no failed read ends it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest

from nodes.jobs.errors import DeadlinePassed, Forgotten, GenerationError, JobCancelled, JobFailed
from nodes.runcomfy.errors import AccountError, NoReply, PermissionDenied, RunComfyError, Unreachable
from nodes.runcomfy.transport import Reply
from tests.support.fake_runcomfy import BOAT, QUEUED, RUNNING, Answer, Play, reply
from tests.support.tiny_mp4 import TINY_MP4

PASSING = {
    "refused": Unreachable("no connection"),
    "no answer": NoReply("time-out"),
    "408": reply(408),
    "429": reply(429),
    "500": reply(500),
    "503": reply(503, {"retry-after": "9"}),
    "redirect": reply(302),
    "empty": Reply(200, {}, b""),
    "html": Reply(200, {}, b"<html>busy</html>"),
    "cut": Reply(200, {}, b'{"status": "compl'),
    "a list": Reply(200, {}, b"[]"),
    "no status": reply(),
    "wrong type": reply(status=7),
}


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("kind", ["status", "result"])
def test_reads_go_on_through_whatever_may_pass(play: Play, kind: str, answer: Answer) -> None:
    play.service.script[kind] += [answer] * 3
    assert play.run().request_id == "job-1"
    assert play.said("Trying again in") >= 1
    assert play.service.count(kind) >= 4
    assert play.service.count("submit") == 1
    assert play.states() == ["saved"]


def test_an_hour_without_network_is_survived_by_a_long_deadline(play: Play) -> None:
    play.change(deadline=2 * 3600.0)
    play.service.script["status"] += [Unreachable("no connection")] * 120
    play.run()
    assert play.clock.now - 1000 > 1800
    assert play.states() == ["saved"]


@pytest.mark.parametrize("code", [429, 503])
def test_reads_wait_as_long_as_the_service_asks(play: Play, code: int) -> None:
    play.service.script["status"].append(reply(code, {"retry-after": "40"}))
    play.run()
    times = [moment for kind, moment in play.service.calls if kind == "status"]
    assert times[1] - times[0] >= 40


REFUSALS = {
    "401": (reply(401, error_code=400004), AccountError, "RUNCOMFY_API_TOKEN"),
    "403": (reply(403, error_code=403001), PermissionDenied, "the account that made the request"),
    "400": (reply(400, error_code=400001), RunComfyError, "does not know 'job-1'"),
}


@pytest.mark.parametrize(("answer", "error", "phrase"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("kind", ["status", "result"])
def test_a_refusal_ends_the_run_and_the_next_one_collects_the_job(
    play: Play, kind: str, answer: Answer, error: type[Exception], phrase: str
) -> None:
    play.service.script[kind].append(answer)
    with pytest.raises(error, match=phrase) as caught:
        play.run()
    assert "job-1" in str(caught.value)
    assert "already accepted the job and may charge" in str(caught.value)
    assert play.run().request_id == "job-1"
    assert play.service.count("submit") == 1


def test_the_deadline_says_that_the_job_goes_on_and_the_next_run_waits_for_it(play: Play) -> None:
    play.change(deadline=10.0)
    with pytest.raises(DeadlinePassed) as caught:
        play.run()
    message = str(caught.value)
    assert "may charge for it" in message
    assert "go on waiting for this job" in message
    assert 'the last state was "in_progress"' in message
    assert "job-1" in message
    assert play.clock.now - 1000 == pytest.approx(10, abs=0.2)
    assert play.states() == ["accepted"]
    play.change(deadline=60.0)
    assert play.run().request_id == "job-1"
    assert play.service.count("submit") == 1


def test_an_unknown_word_counts_as_running_and_is_named(play: Play) -> None:
    play.change(deadline=100.0)
    play.service.script["status"] += [reply(status="Pondering")] * 500
    with pytest.raises(DeadlinePassed, match='the last state was "pondering"'):
        play.run()
    assert play.states() == ["accepted"]


def test_an_unknown_word_of_the_result_is_named_as_well(play: Play) -> None:
    play.change(deadline=100.0)
    play.service.ending = {"status": "archived"}
    with pytest.raises(DeadlinePassed, match='the last state was "archived"'):
        play.run()
    assert play.states() == ["accepted"]


@pytest.mark.parametrize("word", ["failed", "error"])
def test_completed_may_mean_failed(play: Play, word: str) -> None:
    play.service.ending = {"status": word, "error": "GPU on fire"}
    with pytest.raises(JobFailed, match='could not generate the video: "GPU on fire"') as caught:
        play.run()
    assert "Request id: job-1" in str(caught.value)
    assert "a new job" in str(caught.value)
    assert play.states() == ["failed"]
    assert play.entries()[0].reason == "GPU on fire"


@pytest.mark.parametrize(
    "reason",
    [
        "Content moderation failed.",
        "The request contains SENSITIVE information",
        {"message": "output violates the policy"},
        "NSFW content detected",
    ],
    ids=str,
)
def test_moderation_is_named_as_such(play: Play, reason: object) -> None:
    play.service.ending = {"status": "failed", "error": reason}
    with pytest.raises(JobFailed, match=r"content check refused this prompt.*Rephrase the text") as caught:
        play.run()
    assert "a new job" not in str(caught.value)


def test_a_failure_without_a_reason_says_so(play: Play) -> None:
    play.service.ending = {"status": "failed"}
    with pytest.raises(JobFailed, match="gave no reason"):
        play.run()


def test_the_run_after_a_failed_job_is_a_new_job(play: Play) -> None:
    good, play.service.ending = play.service.ending, {"status": "failed"}
    with pytest.raises(JobFailed):
        play.run()
    play.service.ending = good
    assert play.run().request_id == "job-2"
    assert play.states() == ["saved", "failed"]


@pytest.mark.parametrize("word", ["cancelled", "canceled"])
def test_a_job_cancelled_elsewhere_was_free(play: Play, word: str) -> None:
    play.service.script["status"].append(reply(status=word))
    play.service.script["result"].append(reply(status=word))
    with pytest.raises(JobCancelled, match=r"Nothing was charged\."):
        play.run()
    assert play.states() == ["cancelled"]


def test_a_status_that_runs_ahead_of_the_result_is_asked_again(play: Play) -> None:
    play.service.script["status"].append(reply(status="completed"))
    play.service.script["result"].append(reply(status="in_progress"))
    play.run()
    assert play.clock.now - 1000 >= QUEUED + RUNNING


GONE = reply(404, error_code=404001)
GATEWAY = Reply(404, {}, b"<html><h1>404 Not Found</h1></html>")


@pytest.mark.parametrize("answer", [GONE, GATEWAY], ids=["404001", "html"])
@pytest.mark.parametrize("kind", ["status", "result"])
def test_a_service_that_does_not_know_what_it_accepted_just_now_is_asked_again(
    play: Play, kind: str, answer: Reply
) -> None:
    play.service.script[kind] += [answer] * 4
    assert play.run().request_id == "job-1"
    assert play.said("does not have this job (404). Trying again") == 4
    assert play.service.count("submit") == 1


@pytest.mark.parametrize("answer", [GONE, GATEWAY], ids=["404001", "html"])
@pytest.mark.parametrize("age", [10.0, 3600.0])
def test_one_404_does_not_lose_a_job_that_was_found_again(play: Play, age: float, answer: Reply) -> None:
    play.change(deadline=5.0)
    with pytest.raises(DeadlinePassed):
        play.run()
    play.change(deadline=1800.0)
    play.clock.now += age
    play.service.script["status"].append(answer)
    assert play.run().request_id == "job-1"
    assert play.service.count("submit") == 1


def test_a_gateways_404_has_to_stand_for_two_minutes(play: Play) -> None:
    play.change(deadline=5.0)
    with pytest.raises(DeadlinePassed):
        play.run()
    play.change(deadline=1800.0)
    play.clock.now += 3600
    begun = play.clock.now
    play.service.script["status"] += [GATEWAY] * 100
    with pytest.raises(Forgotten):
        play.run()
    assert 120 <= play.clock.now - begun < 180


def test_a_forgotten_job_whose_video_has_arrived_is_finished(play: Play) -> None:
    play.change(deadline=5.0)
    with pytest.raises(DeadlinePassed):
        play.run()
    play.change(deadline=1800.0)
    file = play.folder / "videos" / "job-1.mp4"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(TINY_MP4)
    play.service.forgotten.add("job-1")
    assert play.run().files == (file,)
    assert play.states() == ["saved"]
    assert play.service.count("submit") == 1


@pytest.mark.parametrize("kind", ["status", "result"])
def test_a_job_that_the_service_forgot_is_bought_anew_by_the_next_run(play: Play, kind: str) -> None:
    play.change(deadline=5.0)
    with pytest.raises(DeadlinePassed):
        play.run()
    play.change(deadline=1800.0)
    play.service.before[kind] = lambda: play.service.forgotten.add("job-1")
    play.service.script[kind].append(reply(404, error_code=404001))
    with pytest.raises(Forgotten, match=r"no longer has this job.*anew, which is charged") as caught:
        play.run()
    assert "job-1" in str(caught.value)
    assert play.states() == ["forgotten"]
    assert play.run().request_id == "job-2"


def test_the_duration_is_learnt_from_a_job_that_was_seen_from_start_to_end(play: Play) -> None:
    play.run()
    (seconds,) = play.journal.durations(play.entries()[0].request)  # type: ignore[arg-type]  # it was written by us
    assert QUEUED + RUNNING <= seconds < QUEUED + RUNNING + 10


def test_a_job_that_was_found_again_teaches_nothing(play: Play) -> None:
    play.change(deadline=10.0)
    with pytest.raises(GenerationError):
        play.run()
    play.change(deadline=100.0)
    play.run()
    assert play.entries()[0].seconds is None


@pytest.mark.parametrize("jump", [-86400.0, 86400.0, -1e9])
def test_a_clock_that_jumps_harms_nothing(play: Play, jump: float) -> None:
    play.change(deadline=10.0)
    with pytest.raises(DeadlinePassed):
        play.run()
    play.clock.offset += jump
    play.change(deadline=60.0)
    play.lines.clear()
    assert play.run().request_id == "job-1"
    ages = [int(age) for line in play.lines for age in re.findall(r"(-?\d+) s, usually", line)]
    assert ages
    assert all(0 <= age <= 60 + QUEUED + RUNNING for age in ages)


def test_the_lines_are_the_documented_ones(play: Play) -> None:
    play.run()
    assert "Submitting" in play.lines
    assert "Queued, 2nd in line, 2 s" in play.lines
    assert "Generating, 12 s, usually about 10 s" in play.lines
    assert all(before != after for before, after in itertools.pairwise(play.lines))


def test_polling_stays_within_its_budget(play: Play) -> None:
    # Expected to take as long as it does.
    play.run(replace(BOAT, duration=5))
    assert play.service.count("status") + play.service.count("result") <= 30
    assert play.service.results_after_the_end() == 1
