"""The ways in which the first version bought a video that nobody wanted: one test for each, named after what happens.

On the engine; `tests/comfyui` has those for which ComfyUI itself is to blame, Stop beside a sampler (f) in its
test_stop.py; `tests/runcomfy` has what is no text (m) and an answer about another job (l); test_poll.py the short 404
of an old job (k); test_siblings.py two runs side by side (i, n); `tests/faults/test_journal.py` a journal that is
deleted or replaced (g) and a full disk at the acceptance (h).
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import threading
from dataclasses import replace

import pytest

from nodes.errors import SeedanceError
from nodes.jobs import stop
from nodes.jobs.errors import JobError, JobExpired, JobFailed, OutcomeUnknown
from nodes.jobs.events import Event
from nodes.jobs.job import Video
from nodes.jobs.records import SUBMIT_SECONDS
from nodes.runcomfy.errors import ReadError
from nodes.runcomfy.responses import ApiResponse
from tests.support.fake_runcomfy import BOAT, Answer, lose_the_answer, reply
from tests.support.hanging import PATIENCE
from tests.support.machine import FakeMachine, NewMachine
from tests.support.postgres import on_both

pytestmark = on_both
GONE = reply(404, error_code=404001)
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files, and has its own links")


@pytest.mark.parametrize("bad", [OutcomeUnknown, JobFailed])
def test_a_and_n_the_same_graph_is_queued_four_times_and_all_end_badly(
    machine: FakeMachine, bad: type[JobError]
) -> None:
    """Nobody can know whether a refused prompt, or one without an answer, is charged; so it is not sent again before
    somebody has read of it: one after the other, and as five equal items of a list."""
    good, names = machine.service.ending, ("one", "two", "three", "four")
    if bad is JobFailed:
        machine.service.ending = {"status": "failed", "error": "Content moderation failed."}
    else:
        machine.service.before["submit"] = lose_the_answer

    async def list_of_five() -> list[Video | BaseException]:
        items = [machine.generate(run=machine.prompt("five")) for _ in range(5)]
        return await asyncio.gather(*items, return_exceptions=True)

    machine.queued = frozenset(names)
    for run in [machine.prompt(name) for name in names]:
        assert ("content check" in machine.failed(bad, run=run)) == (bad is JobFailed)
    assert machine.bought == 1
    machine.queued = frozenset()
    assert {type(outcome) for outcome in asyncio.run(list_of_five())} == {bad}
    assert machine.bought == 2
    assert not (machine.folder / "videos").exists()
    machine.service.ending = good
    machine.service.before.clear()
    assert machine.run().request_id == "job-3"


def test_a_neither_what_another_server_has_said_nor_what_was_skipped_has_been_read(new_machine: NewMachine) -> None:
    for how in ("another server", "skipped", "skipped twice"):
        machine = new_machine()
        machine.service.before["submit"] = lose_the_answer
        for _ in range(2 if how == "skipped twice" else 1):
            machine.failed(OutcomeUnknown, run=machine.prompt(is_read=how == "another server"))
        if how == "another server":
            machine.change(reports=type(machine.account.reports)(how))
        machine.failed(OutcomeUnknown)
        assert machine.bought == 1, how


def test_b_a_process_dies_within_the_call_and_the_token_is_renewed(machine: FakeMachine) -> None:
    class Killed(BaseException):
        """Ends the worker where it stands."""

    def kill() -> None:
        raise Killed

    machine.service.before["submit"] = kill
    with pytest.raises(Killed):
        machine.run()
    machine.service.before.clear()
    machine.restart()
    machine.change(name="renewed")
    begun = machine.clock.now
    machine.failed(OutcomeUnknown)
    assert machine.said("Another run is submitting the same video; its outcome is known in 90 s at the latest") == 1
    assert machine.clock.now - begun == pytest.approx(SUBMIT_SECONDS, abs=1)
    assert machine.bought == 1
    assert machine.run().request_id == "job-2"
    assert machine.states() == ["saved", "told"]


def test_c_a_run_that_wants_a_new_video_is_executed_three_times(machine: FakeMachine) -> None:
    """By a lazy consumer, a loop, or a cache that keeps nothing."""
    machine.run()
    run = machine.prompt()
    videos = [machine.run(reuse=False, run=run) for _ in range(3)]
    assert [video.request_id for video in videos] == ["job-2"] * 3
    assert machine.bought == 2
    videos[0].files[0].unlink()
    assert machine.run(reuse=False, run=run).request_id == "job-2"
    assert machine.run(reuse=False).request_id == "job-3"


def test_c_it_takes_over_a_job_that_nobody_waits_for_and_is_executed_again(machine: FakeMachine) -> None:
    machine.abandon(reuse=False)
    run = machine.prompt()
    assert [machine.run(reuse=False, run=run).request_id for _ in range(3)] == ["job-1"] * 3
    assert machine.bought == 1


def test_c_its_failure_is_raised_again_and_not_bought_over(machine: FakeMachine) -> None:
    machine.service.ending = {"status": "failed", "error": "GPU on fire"}
    run = machine.prompt()
    for _ in range(3):
        with pytest.raises(JobFailed, match="GPU on fire"):
            machine.run(reuse=False, run=run)
    assert machine.bought == 1


TROUBLE: dict[str, list[Answer]] = {
    "a gateway's page": [ApiResponse(502, {}, b"<html>"), ApiResponse(200, {}, b"<html>")],
    "a proxy's refusal": [ApiResponse(403, {}, b"<html>"), ApiResponse(404, {}, b"<html>")],
    "a short 404": [GONE, GONE],
    "no network": [ReadError("time-out")],
}


def test_d_the_token_is_renewed_and_the_old_jobs_status_is_hard_to_get(new_machine: NewMachine) -> None:
    for name, answers in TROUBLE.items():
        machine = new_machine()
        machine.abandon()
        machine.change(name="renewed")
        machine.service.script["status"] += answers
        assert machine.run().request_id == "job-1", name
        assert machine.bought == 1, name


def test_d_the_token_is_renewed_and_a_colleague_has_a_newer_job(machine: FakeMachine) -> None:
    not_theirs = reply(403, error_code=403001)
    machine.abandon()
    machine.change(name="colleague")
    machine.service.script["status"].append(not_theirs)
    machine.abandon()
    machine.change(name="renewed")
    machine.service.script["status"].append(not_theirs)
    assert machine.run().request_id == "job-1"
    assert machine.bought == 2


def test_e_the_output_folder_is_away_for_a_run_and_the_service_has_deleted_the_job(machine: FakeMachine) -> None:
    videos, away = machine.folder / "videos", machine.folder / "away"
    machine.run()
    videos.rename(away)
    machine.service.forgotten.add("job-1")
    assert "whether the drive that the video was saved to is there" in machine.failed(JobExpired)
    shutil.rmtree(videos, ignore_errors=True)
    away.rename(videos)
    assert machine.run().reused
    assert machine.bought == 1


@on_posix
def test_e_the_file_cannot_be_read_just_now(machine: FakeMachine) -> None:
    file = machine.run().files[0]
    content = file.read_bytes()
    machine.service.forgotten.add("job-1")
    for state in ("saved", "forgotten"):
        file.unlink(missing_ok=True)
        file.symlink_to(file)  # to be opened by nobody, as what another program holds
        for _ in range(2):
            assert "cannot be read just now" in machine.failed(SeedanceError)
        assert machine.states() == [state]
        file.unlink()
        if state == "saved":
            machine.failed(JobExpired)
    file.write_bytes(content)
    assert machine.run().reused
    assert machine.bought == 1


def test_i_a_cancel_that_answers_late_overwrites_no_video(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    monkeypatch.setattr(stop, "CANCEL_CALL_SECONDS", 0.01)
    machine.service.script["cancel"].append(reply(202, outcome="cancelled"))
    machine.service.before["cancel"] = lambda: go_on.wait(PATIENCE)
    assert "could not be cancelled in time" in machine.stopped("Queued")
    assert machine.run().request_id == "job-1"
    go_on.set()
    assert machine.states() == ["saved"]


def test_i_a_job_that_was_cancelled_goes_on_after_all(machine: FakeMachine) -> None:
    machine.service.script["cancel"].append(reply(202, outcome="cancelled"))
    assert "is cancelled" in machine.stopped("Queued")
    assert machine.run().request_id == "job-1"
    assert machine.bought == 1


@pytest.mark.parametrize("how", ["stop", "a sibling fails", "a sibling fails, restart"])
def test_j_stop_is_pressed_while_the_unclear_outcome_is_being_reported(machine: FakeMachine, how: str) -> None:
    async def cut_off() -> Video:
        task = asyncio.ensure_future(machine.generate(run=run))
        tasks.append(task)
        return await task

    def show(event: Event) -> None:
        machine.lines.append(str(event))
        if "ended without a clear answer" in str(event):
            if how == "stop":
                machine.press_stop()
            else:
                tasks[0].cancel()

    tasks: list[asyncio.Task[Video]] = []
    run = replace(machine.prompt("one"), show=show)
    machine.service.before["submit"] = lose_the_answer
    with pytest.raises(OutcomeUnknown if how == "stop" else asyncio.CancelledError):
        asyncio.run(cut_off())
    assert not machine.said("Nothing was charged")
    machine.stop_pressed = False
    if how != "stop":
        # Nobody has read what was cut off.
        if "restart" in how:
            machine.restart()
        machine.failed(OutcomeUnknown)
    assert machine.bought == 1


def test_l_the_submit_call_is_answered_with_another_requests_id(machine: FakeMachine) -> None:
    machine.run()
    machine.service.script["submit"].append(reply(request_id="job-1"))
    assert "another job's id, job-1" in machine.failed(OutcomeUnknown, replace(BOAT, seed=1))
    assert machine.states() == ["told", "saved"]
    assert machine.run(replace(BOAT, seed=1)).request_id == "job-2"
