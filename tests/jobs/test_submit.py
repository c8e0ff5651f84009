"""The call that costs money: repeated only when it provably was not accepted."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest
from sqlalchemy import delete

from nodes.jobs import job
from nodes.jobs.errors import OutcomeUnknown
from nodes.jobs.events import Event
from nodes.jobs.records import SUBMIT_SECONDS
from nodes.jobs.submit import FIRST_BYTE_SECONDS
from nodes.jobs.tables import JOBS
from nodes.runcomfy.errors import ReadError
from tests.support.fake_runcomfy import reply
from tests.support.hanging import PATIENCE
from tests.support.job_records import read_only
from tests.support.machine import FakeMachine


def test_the_intent_is_on_disk_before_the_call_and_the_id_right_after(machine: FakeMachine) -> None:
    seen = []
    machine.service.before["submit"] = lambda: seen.append(machine.journal.records()[0])
    machine.run()
    assert [record.state.value for record in seen] == ["intended"]
    assert seen[0].submit_until - seen[0].created == SUBMIT_SECONDS
    assert machine.states() == ["saved"]


def test_a_rate_limit_is_waited_out_as_long_as_the_service_asks(machine: FakeMachine) -> None:
    machine.service.script["submit"] += [reply(429, {"retry-after": "17"}), reply(429), reply(429)]
    checks: list[None] = []
    machine.change(check_before_submit=lambda: checks.append(None))
    machine.run()
    assert len(checks) == 1, "what may keep the video from arriving is looked for once"
    times = [moment for kind, moment in machine.service.calls if kind == "submit"]
    assert len(times) == 4
    assert times[1] - times[0] == pytest.approx(17, abs=0.01)
    assert machine.said("limiting how often") == 3
    assert machine.said("Trying again in 17 s.") == 1
    assert machine.states() == ["saved"], "each attempt wrote over the one before"


def test_a_journal_that_is_replaced_between_two_tries_keeps_no_run_for_ever(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def show(event: Event) -> None:
        if event.is_retry:
            machine.journal.database.transact(lambda connection: connection.execute(delete(JOBS)))

    monkeypatch.setattr(machine, "show", show)
    machine.service.script["submit"].append(reply(429))
    assert machine.run().request_id == "job-1"
    assert machine.states() == ["saved"]


def test_a_connection_that_stands_too_late_sends_nothing(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others wait for the outcome so long and no longer; a machine that slept meanwhile must not submit after that."""
    create, asleep = machine.journal.create, [FIRST_BYTE_SECONDS + 1, 0.0]

    def create_and_fall_asleep(*args: object) -> object:
        record = create(*args)  # type: ignore[arg-type]  # whatever it is
        machine.clock.now += asleep.pop(0)
        return record

    monkeypatch.setattr(machine.journal, "create", create_and_fall_asleep)
    machine.run()
    assert machine.said("the connection took too long") == 1
    # The first one was not acted upon; the next attempt was made in time.
    assert list(machine.service.accepted) == ["job-1"]


def test_a_journal_that_breaks_during_an_unclear_call_hides_no_payment(machine: FakeMachine) -> None:
    machine.service.before["submit"] = lambda: read_only(machine.journal)
    machine.service.script["submit"].append(ReadError("connection lost"))
    assert "It may have been charged." in machine.failed(OutcomeUnknown)
    # What could not be written down at first is so by now: it was reported once, and may be bought over.
    assert machine.states() == ["told"]
    assert machine.run().request_id == "job-1"


def test_an_unclear_ending_is_raised_though_the_journal_is_silent(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    monkeypatch.setattr(job, "WRITE_SECONDS", 0.05)
    hanging: list[Future[bool]] = []
    machine.service.before["submit"] = lambda: hanging.append(machine.executors.journal.submit(go_on.wait, PATIENCE))
    machine.service.script["submit"].append(ReadError("time-out"))
    machine.failed(OutcomeUnknown)
    assert not hanging[0].done()
    go_on.set()
    assert machine.states() == ["told"]
