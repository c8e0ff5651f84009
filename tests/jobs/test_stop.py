"""Stop: what can be taken back is taken back, and the truth is told about the rest."""

from __future__ import annotations

import asyncio
import itertools
import threading
from concurrent.futures import Future
from dataclasses import replace

import pytest

from nodes.jobs import stop
from nodes.jobs.download import whole_files
from nodes.jobs.errors import JobError, JobExpired, JobFailed, JournalUnusable, OutcomeUnknown, Stopped
from nodes.jobs.events import Event, Phase
from nodes.jobs.job import Video
from nodes.jobs.records import CLAIM_SECONDS
from nodes.jobs.waiting import ended_within
from nodes.runcomfy.errors import ReadError
from tests.support.fake_runcomfy import BOAT, Answer, lose_the_answer, reply
from tests.support.machine import FakeMachine, NewMachine

PATIENCE = 30.0
LOST = ReadError("connection lost")


def press_and_wait(machine: FakeMachine) -> None:
    """Press Stop, and go on when that is noticed."""
    machine.press_stop()
    assert machine.stop_seen.wait(PATIENCE)


STOPS: dict[str, tuple[str, str, list[str], int]] = {
    # Stop is pressed when the user reads this: what Stop says, the journal then, the jobs bought in the end.
    "Submitting": ("Stopped before anything was submitted. Nothing was charged.", "", [], 1),
    "Trying again in 60 s": ("Nothing was charged.", "", ["refused"], 1),
    "Queued, number 2": ("Job job-1 was still queued and is cancelled. Nothing was charged.", "", ["cancelled"], 2),
    "Generating, 12 s": ("job-1 is running already and will be charged", "without a new charge", ["accepted"], 1),
}


def test_at_each_stage_the_truth_is_said_and_the_next_run_collects_or_buys(new_machine: NewMachine) -> None:
    for line, (said, advice, states, bought) in STOPS.items():
        machine = new_machine()
        if line.startswith("Trying"):
            machine.service.script["submit"].append(reply(429, {"retry-after": "60"}))
        message = machine.stopped(line)
        assert said in message, line
        assert advice in message, line
        assert machine.states() == states, line
        assert machine.bought == (states not in ([], ["refused"])), line
        machine.clock.now += 60
        assert machine.run().request_id == f"job-{bought}", line
        assert machine.bought == bought, line


def test_while_downloading_it_says_that_the_video_is_paid_for_whoever_sees_it_first(new_machine: NewMachine) -> None:
    for worker_first in (False, True):
        machine = new_machine()

        def press(machine: FakeMachine = machine, worker_first: bool = worker_first) -> None:
            if worker_first:  # right after a look
                machine.stop_asked.clear()
                assert machine.stop_asked.wait(PATIENCE)
            machine.press_stop()

        machine.during_download = press
        assert "The video is finished and paid for" in machine.stopped(), worker_first
        machine.during_download = None
        assert machine.service.count("cancel") == 0
        assert machine.run().request_id == "job-1"


def test_while_a_read_hangs_stop_does_not_wait_for_it(machine: FakeMachine, go_on: threading.Event) -> None:
    over: list[bool] = []

    def hang() -> None:
        machine.press_stop()
        over.append(go_on.wait(PATIENCE))

    machine.service.before["status"] = hang
    assert "is cancelled" in machine.stopped()
    assert over == []


def test_a_job_found_again_is_cancelled_like_a_new_one(
    new_machine: NewMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for when in ("Queued", "before it is polled"):
        machine = new_machine()
        machine.service.queued = 60.0
        machine.abandon()

        def stop_and_read(_: object, machine: FakeMachine = machine) -> list[float]:
            press_and_wait(machine)
            return []

        if when != "Queued":
            monkeypatch.setattr(machine.journal, "durations", stop_and_read)
        assert "Job job-1 was still queued and is cancelled" in machine.stopped(when), when
        assert machine.service.cancelled == {"job-1"}, when


def test_an_unclear_submission_under_stop_is_raised_as_such(machine: FakeMachine) -> None:
    machine.service.before["submit"] = lambda: press_and_wait(machine)
    machine.service.script["submit"].append(LOST)
    machine.failed(OutcomeUnknown)
    assert machine.states() == ["told"]


@pytest.mark.parametrize("then", ["nobody wants it", "the next run waits for it", "it runs at once"])
def test_a_submit_call_that_hangs_is_waited_for_only_so_long(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event, then: str
) -> None:
    """Its job is cancelled as soon as it is accepted, unless somebody wants it by then, or it runs already."""
    monkeypatch.setattr(stop, "SUBMIT_WAIT_SECONDS", 0.01)

    def hang() -> None:
        machine.press_stop()
        go_on.wait(PATIENCE)

    def show(event: Event) -> None:
        if "Another run is submitting" in str(event):
            go_on.set()

    machine.service.before["submit"] = hang
    if then == "it runs at once":
        machine.service.queued = 0
    assert "Stopped while the request was being submitted. It may have been charged." in machine.stopped()
    machine.service.before = {}
    monkeypatch.setattr(machine, "show", show)
    if then != "the next run waits for it":
        go_on.set()
        assert machine.states() == ["cancelled" if then == "nobody wants it" else "accepted"]
    assert machine.run().request_id == ("job-2" if then == "nobody wants it" else "job-1")
    assert machine.states() == (["saved", "cancelled"] if then == "nobody wants it" else ["saved"])


@pytest.mark.parametrize("ending", ["stop", "sibling"])
def test_what_is_called_off_while_it_is_being_written_down_is_never_sent(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event, ending: str
) -> None:
    """The user reads that nothing was submitted; so nothing may be submitted after that, however slow the disk."""
    monkeypatch.setattr(stop, "SUBMIT_WAIT_SECONDS", 0.01)
    begun, create = threading.Event(), machine.journal.create

    def slowly(*args: object) -> object:
        begun.set()
        assert go_on.wait(PATIENCE)
        return create(*args)  # type: ignore[arg-type]  # whatever it is

    monkeypatch.setattr(machine.journal, "create", slowly)
    machine.cut_off(begun.is_set, machine.press_stop if ending == "stop" else None)
    go_on.set()
    assert machine.states() == ["refused"]
    assert machine.service.count("submit") == 0
    assert machine.said("before anything was submitted. Nothing was charged.") or ending == "stop"


CANCELLED, CHARGED = "was still queued and is cancelled. Nothing was charged.", "It may be charged"
CANCELS: dict[str, tuple[list[Answer], list[Answer], str, int]] = {
    # What the cancel and status calls are answered instead of the truth, what the user reads, cancel calls in all.
    "503 to all": ([reply(503)], [reply(503)], CANCELLED, 2),
    "no answer to all": ([LOST], [LOST], CANCELLED, 2),
    "limited": ([reply(429)], [reply(429)], CANCELLED, 2),
    "limited for as long as Stop waits": ([reply(429, {"retry-after": "1"})] * 4, [], CANCELLED, 3),
    "no answer twice": ([LOST] * 2, [], CHARGED, 2),
}


def test_a_cancel_call_in_trouble_is_made_once_more_and_nothing_is_promised_without_an_answer(
    new_machine: NewMachine,
) -> None:
    for name, (cancels, statuses, said, calls) in CANCELS.items():
        machine = new_machine()
        machine.service.before["submit"] = machine.press_stop
        machine.service.script["cancel"] += cancels
        machine.service.script["status"] += statuses
        assert said in machine.stopped(), name
        assert machine.service.count("cancel") >= calls, name
        assert machine.states() == ["cancelled" if said == CANCELLED else "accepted"], name
        del machine.service.before["submit"]
        assert machine.run().request_id == ("job-2" if said == CANCELLED else "job-1"), name


def test_a_cancel_that_came_through_without_an_answer_is_not_taken_for_too_late(machine: FakeMachine) -> None:
    machine.service.before |= {"submit": machine.press_stop, "cancel": lose_the_answer}
    assert CANCELLED in machine.stopped()
    assert machine.service.count("cancel") == 1
    assert machine.states() == ["cancelled"]


def test_a_cancel_call_that_hangs_is_waited_for_only_so_long(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    monkeypatch.setattr(stop, "CANCEL_CALL_SECONDS", 0.01)
    machine.service.before["submit"] = machine.press_stop
    machine.service.before["cancel"] = lambda: go_on.wait(PATIENCE)
    assert "could not be cancelled in time" in machine.stopped()
    go_on.set()
    assert machine.states() == ["cancelled"]


def test_without_an_answer_of_the_database_a_job_is_cancelled_only_while_its_claim_cannot_have_lapsed(
    new_machine: NewMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    """After that it may be another server's, which is cut off from nothing."""
    for name in ("LOOK_SECONDS", "CLAIM_SECONDS"):
        monkeypatch.setattr(stop, name, 0.05)

    def silent(*_: object) -> bool:
        return go_on.wait(PATIENCE)

    def away(*_: object) -> bool:
        raise JournalUnusable("PostgreSQL", "cut off")

    for answer in (silent, away):
        for age, is_certain in ((CLAIM_SECONDS - 5, True), (CLAIM_SECONDS + 5, False)):
            machine = new_machine()
            machine.service.queued = 100.0
            machine.stop_at = f"in line, {age:.0f} s"
            monkeypatch.setattr(machine.account.claims, "holds", answer)
            assert (CANCELLED if is_certain else "could not be cancelled in time") in machine.stopped(), (answer, age)
            go_on.set()
            assert machine.states() == ["cancelled" if is_certain else "accepted"], (answer, age)
            assert machine.service.count("cancel") == is_certain, (answer, age)
            go_on.clear()


def test_where_a_claim_may_have_lapsed_the_answer_of_a_slow_database_is_waited_for(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sleep of the machine in the middle of a job, nothing else tells."""
    monkeypatch.setattr(stop, "LOOK_SECONDS", 0)
    machine.service.queued = 100.0
    machine.stop_at = f"in line, {CLAIM_SECONDS + 5:.0f} s"
    assert CANCELLED in machine.stopped()
    assert machine.service.count("cancel") == 1


def test_a_silent_journal_is_waited_for_once_and_not_by_each_job(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    """A few threads cancel: hundreds of jobs would be running, and paid for, when the last one is looked at."""
    monkeypatch.setattr(stop, "LOOK_SECONDS", 0.05)
    looks: list[None] = []

    def silent(*_: object) -> bool:
        looks.append(None)
        return go_on.wait(PATIENCE)

    async def graph() -> list[Video | BaseException]:
        runs = [machine.generate(replace(BOAT, seed=seed)) for seed in range(3)]
        return await asyncio.gather(*runs, return_exceptions=True)

    all_are_in = threading.Barrier(3)
    machine.service.before["submit"] = lambda: all_are_in.wait(PATIENCE)
    monkeypatch.setattr(machine.account.claims, "holds", silent)
    monkeypatch.setattr(machine, "stop", lambda: len(machine.service.accepted) == 3)
    assert [CANCELLED in str(stopped) for stopped in asyncio.run(graph())] == [True] * 3
    assert len(looks) == 1


def test_what_stop_says_waits_for_no_journal(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    """The cancellation is written down when it answers again."""
    monkeypatch.setattr(stop, "LOOK_SECONDS", 0.05)
    machine.service.before["submit"] = machine.press_stop
    hanging: list[Future[bool]] = []
    machine.service.before["cancel"] = lambda: hanging.append(machine.executors.journal.submit(go_on.wait, PATIENCE))
    assert CANCELLED in machine.stopped()
    assert not hanging[0].done()
    go_on.set()
    assert machine.states() == ["cancelled"]


def test_a_cancel_call_that_waits_for_a_thread_has_its_time_from_when_it_begins(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    """Hundreds of cancels share a few threads; the last ones are no less cancelled."""
    looks = itertools.count(1)

    async def look(call: Future[object], seconds: float) -> bool:
        if next(looks) < 4:
            return await ended_within(call, 0.01)
        go_on.set()
        return await ended_within(call, PATIENCE)

    def show(event: Event) -> None:
        if event.phase is Phase.QUEUED and not machine.stop_pressed:
            for _ in range(20):  # twice as many as there are threads
                machine.executors.cancels.submit(go_on.wait, PATIENCE)
            machine.press_stop()

    monkeypatch.setattr(stop, "ended_within", look)
    monkeypatch.setattr(machine, "show", show)
    assert CANCELLED in machine.stopped()
    assert machine.states() == ["cancelled"]


def test_stop_while_another_run_has_the_job_leaves_the_job_alone(machine: FakeMachine, go_on: threading.Event) -> None:
    machine.service.before["submit"] = lambda: go_on.wait(PATIENCE)
    machine.stop_at = "Another run is submitting"

    async def two() -> Video:
        other = asyncio.create_task(machine.generate(run=replace(machine.prompt(), is_stopped=lambda: False)))
        while not machine.service.count("submit"):  # noqa: ASYNC110 - no more than a turn of the loop each
            await asyncio.sleep(0)
        with pytest.raises(Stopped, match=r"^Stopped before anything was submitted\. Nothing was charged\.$"):
            await machine.generate()
        go_on.set()
        return await other

    assert asyncio.run(two()).request_id == "job-1"
    assert (machine.service.count("submit"), machine.service.count("cancel")) == (1, 0)
    assert machine.states() == ["saved"]


def test_of_several_jobs_each_is_cancelled_and_told_though_the_first_ends_the_graph(machine: FakeMachine) -> None:
    """ComfyUI ends its event loop as soon as one node has stopped, and cancels all others in doing so."""
    hold = threading.Event()

    def cancel_slowly() -> None:
        # The first one is let through; the others' calls are under way when their runs are cut off.
        if machine.service.count("cancel") > 1:
            hold.wait(PATIENCE)

    async def let_through_when_cut_off() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            hold.set()

    async def graph() -> None:
        runs = [asyncio.create_task(machine.generate(replace(BOAT, seed=seed))) for seed in range(4)]
        while machine.service.count("submit") < 4:  # noqa: ASYNC110 - no more than a turn of the loop each
            await asyncio.sleep(0)
        machine.press_stop()
        (first, *_), _ = await asyncio.wait(runs, return_when=asyncio.FIRST_COMPLETED)
        # Cut off together with the others, and only then lets their calls through.
        gatekeeper = asyncio.create_task(let_through_when_cut_off())
        await asyncio.sleep(0)
        assert not gatekeeper.done()
        first.result()

    machine.service.before["cancel"] = cancel_slowly
    machine.service.queued = machine.clock.now = 1e6
    machine.change(deadline=1e9)
    with pytest.raises(Stopped) as caught:
        asyncio.run(graph())
    assert machine.states() == ["cancelled"] * 4
    said = [str(caught.value), *machine.lines]
    for number in range(1, 5):
        assert sum(f"job-{number} was still queued and is cancelled" in line for line in said) == 1, number


def test_a_job_fetched_by_its_id_is_never_cancelled(machine: FakeMachine) -> None:
    machine.service.accepted["job-77"] = machine.clock.now
    machine.stop_at = "Queued"
    with pytest.raises(Stopped, match=r"Stopped\. Job job-77 goes on and will be charged"):
        machine.fetch("job-77")
    assert machine.service.count("cancel") == 0


def test_a_job_that_has_just_ended_badly_is_raised_and_not_called_unsubmitted(
    new_machine: NewMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was charged is for RunComfy to say; and it is said once before the request is bought again."""
    ends: dict[str, type[JobError]] = {"failed": JobFailed, "forgotten": JobExpired}
    for state, error in ends.items():
        machine = new_machine()

        def stop_and_look(*args: object, machine: FakeMachine = machine) -> object:
            if machine.service.count("status") and not machine.stop_pressed:
                press_and_wait(machine)
            return whole_files(*args)  # type: ignore[arg-type]  # whatever it is

        monkeypatch.setattr("nodes.jobs.runner.whole_files", stop_and_look)
        if state == "failed":
            machine.service.ending = {"status": "failed", "error": "no"}
        else:
            machine.service.forgotten.add("job-1")
        machine.failed(error)
        assert machine.states() == [state]
        assert not machine.said("Nothing was charged"), state


def test_a_bad_end_that_a_failed_sibling_keeps_from_being_raised_is_shown_and_raised_by_the_next_run(
    new_machine: NewMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    """Two of a list fail at once: ComfyUI cuts the second one off before it can raise anything."""
    for error, says in ((JobFailed, '"no"'), (JobExpired, "no longer has this job")):
        machine, ended = new_machine(), threading.Event()

        def hang(*_: object, ended: threading.Event = ended) -> tuple[()]:
            ended.set()
            go_on.wait(PATIENCE)
            return ()

        truth = machine.service.ending
        if error is JobFailed:
            machine.service.ending = {"status": "failed", "error": "no"}
        else:
            machine.service.forgotten.add("job-1")
        with monkeypatch.context() as patched:
            patched.setattr("nodes.jobs.runner.whole_files", hang)
            machine.cut_off(ended.is_set)
        assert machine.said(says) == 1, error
        assert not machine.said("being submitted"), error
        machine.service.ending = truth
        machine.failed(error)
        assert machine.bought == 1, error
        assert machine.run().request_id == "job-2", error
        go_on.set()
        go_on.clear()
