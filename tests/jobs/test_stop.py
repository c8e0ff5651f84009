"""Stop: what can be taken back is taken back, and the truth is told about the rest."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest

from nodes.jobs import stop
from nodes.jobs.download import whole_files
from nodes.jobs.errors import JobError, JobExpired, JobFailed, JournalUnusable, OutcomeUnknown, Stopped
from nodes.jobs.events import Event, Phase
from nodes.jobs.records import CLAIM_SECONDS
from nodes.jobs.waiting import ended_within
from nodes.runcomfy.errors import ReadError
from tests.support.fake_runcomfy import QUEUED, Answer, lose_the_answer, reply
from tests.support.hanging import PATIENCE, Hanging, press_and_hang
from tests.support.machine import FakeMachine, NewMachine

LOST = ReadError("connection lost")
Hook = Callable[[FakeMachine, Hanging], object]


def press(machine: FakeMachine, _: object = None) -> None:
    machine.press_stop()


def press_and_wait(machine: FakeMachine, _: object = None) -> list[float]:
    """Press Stop, and go on when that is noticed."""
    machine.press_stop()
    assert machine.stop_seen.wait(PATIENCE)
    return []


def press_between_looks(machine: FakeMachine, _: object) -> None:
    """So that a thread sees it first."""
    machine.stop_asked.clear()
    assert machine.stop_asked.wait(PATIENCE)
    machine.press_stop()


def hang_on(_: object, hang: Hanging) -> bool:
    return hang()


def be_away(*_: object) -> bool:
    raise JournalUnusable("PostgreSQL", "cut off")


@dataclass(frozen=True)
class Case:
    """When Stop is pressed, and what comes of it."""

    says: str
    state: str = "cancelled"
    """Of the job, in the journal; empty for none."""
    cancels: int = 1
    """Calls."""
    at: str = "\0"
    """What the user reads when Stop is pressed, if it is not pressed otherwise."""
    queued: float = QUEUED
    found_again: bool = False
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    """Done before an answer of the service, in the "download", or for what the journal tells."""
    answers: Mapping[str, list[Answer]] = field(default_factory=dict)
    """Instead of the truth."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Shorter than those of `stop`."""


CANCELLED = "Job job-1 was still queued and is cancelled. Nothing was charged."
NOTHING = "Stopped before anything was submitted. Nothing was charged."
RUNNING = "job-1 is running already and will be charged; run the same graph again to collect its video"
PAID, LATE = "The video is finished and paid for", "could not be cancelled in time"
UNDER_WAY = "Stopped while the request was being submitted. It may have been charged."
SURE, UNSURE = (f"in line, {CLAIM_SECONDS + seconds:.0f} s" for seconds in (-5, 5))
"""While the run's claim cannot have lapsed, and when it may be another server's, which is cut off from nothing."""
SOON = {"LOOK_SECONDS": 0.05, "CLAIM_SECONDS": 0.05, "SUBMIT_WAIT_SECONDS": 0.01}
FIRST: dict[str, Hook] = {"submit": press}
HUNG: dict[str, Hook] = {"submit": press_and_hang}
BUSY: dict[str, list[Answer]] = {"cancel": [reply(503)], "status": [reply(503)]}
CASES = {
    "before it is submitted": Case(NOTHING, "", 0, "Submitting"),
    "in a pause": Case(NOTHING, "refused", 0, "again in 60 s", answers={"submit": [reply(429, {"retry-after": "60"})]}),
    "in the queue": Case(CANCELLED, at="Queued, number 2"),
    "in a read that hangs": Case(CANCELLED, hooks={"status": press_and_hang}),
    "in the queue, found again": Case(CANCELLED, at="Queued", queued=60, found_again=True),
    "found again, not yet polled": Case(CANCELLED, queued=60, found_again=True, hooks={"durations": press_and_wait}),
    "while it runs": Case(RUNNING, "accepted", at="Generating, 12 s"),
    "in the download": Case(PAID, "succeeded", 0, hooks={"download": press}),
    "in the download, seen there": Case(PAID, "succeeded", 0, hooks={"download": press_between_looks}),
    # Its job is cancelled as soon as it is accepted.
    "in a submit call that hangs": Case(UNDER_WAY, hooks=HUNG, limits=SOON),
    "in one whose job runs at once": Case(UNDER_WAY, "accepted", 1, queued=0, hooks=HUNG, limits=SOON),
    "the cancel call hangs": Case(LATE, hooks={**FIRST, "cancel": hang_on}, limits={"CANCEL_CALL_SECONDS": 0.01}),
    "its answer is lost": Case(CANCELLED, hooks={**FIRST, "cancel": lambda *_: lose_the_answer()}),
    "503 to all": Case(CANCELLED, "cancelled", 2, hooks=FIRST, answers=BUSY),
    "no answer to all": Case(CANCELLED, "cancelled", 2, hooks=FIRST, answers={"cancel": [LOST], "status": [LOST]}),
    "no answer twice": Case("It may be charged", "accepted", 2, hooks=FIRST, answers={"cancel": [LOST, LOST]}),
    "limited": Case(CANCELLED, "cancelled", 2, hooks=FIRST, answers={"cancel": [reply(429)]}),
    "limited for as long as Stop waits": Case(
        CANCELLED, "cancelled", 5, hooks=FIRST, answers={"cancel": [reply(429, {"retry-after": "1"})] * 4}
    ),
    "a silent database": Case(CANCELLED, at=SURE, queued=100, hooks={"holds": hang_on}, limits=SOON),
    "a database that is away": Case(CANCELLED, at=SURE, queued=100, hooks={"holds": be_away}, limits=SOON),
    "a silent one for long": Case(LATE, "accepted", 0, UNSURE, 100, hooks={"holds": hang_on}, limits=SOON),
    "one that is away for long": Case(LATE, "accepted", 0, UNSURE, 100, hooks={"holds": be_away}, limits=SOON),
    # After a sleep of the machine in the middle of a job, nothing else tells.
    "a slow one, which is waited for": Case(CANCELLED, at=UNSURE, queued=100, limits={"LOOK_SECONDS": 0}),
}


def test_at_each_moment_the_truth_is_said_and_the_next_run_collects_or_buys(
    new_machine: NewMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop waits for nothing that hangs; what it could not wait for is written down all the same."""
    for name, case in CASES.items():
        machine, hang = new_machine(), Hanging()
        service = machine.service
        service.queued = case.queued
        service.script.update((kind, deque(answers)) for kind, answers in case.answers.items())
        if case.found_again:
            machine.abandon()
        with monkeypatch.context() as patched:
            for limit, seconds in case.limits.items():
                patched.setattr(stop, limit, seconds)
            for place, hook in case.hooks.items():

                def work(*_: object, hook: Hook = hook, machine: FakeMachine = machine, hang: Hanging = hang) -> object:
                    return hook(machine, hang)

                if place == "download":
                    patched.setattr(machine, "during_download", work)
                elif place in ("durations", "holds"):
                    patched.setattr(machine.journal if place == "durations" else machine.account.claims, place, work)
                else:
                    patched.setitem(service.before, place, work)
            said = machine.stopped(case.at)
        assert case.says in said, (name, said)
        hang.go_on.set()
        assert machine.states() == [case.state] * bool(case.state), name
        assert service.count("cancel") == case.cancels, name
        assert all(hang.ended), f"{name}: Stop waited for it"
        service.script.clear()
        machine.clock.now += 60
        then = "job-2" if case.state == "cancelled" else "job-1"
        assert machine.run().request_id == then, name
        assert machine.bought == int(then[-1]), name


def test_an_unclear_submission_under_stop_is_raised_as_such(machine: FakeMachine) -> None:
    machine.service.before["submit"] = lambda: press_and_wait(machine)
    machine.service.script["submit"].append(LOST)
    machine.failed(OutcomeUnknown)
    assert machine.states() == ["told"]


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
    assert "is cancelled. Nothing was charged." in machine.stopped()
    assert machine.states() == ["cancelled"]


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
