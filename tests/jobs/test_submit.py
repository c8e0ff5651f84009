"""The call that costs money: repeated only when it provably was not accepted."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from nodes.jobs import journal
from nodes.jobs.clock import clock_time
from nodes.jobs.database import connect
from nodes.jobs.errors import JournalUnusable, OutcomeUnknown
from nodes.jobs.events import Event, StopReport, Submitting
from nodes.jobs.executors import SUBMITS
from nodes.jobs.runner import JobRunner
from nodes.jobs.submit import CONNECT_ATTEMPTS
from nodes.runcomfy.errors import AuthenticationError, ConnectError, RateLimited, ReadError, RunComfyError
from nodes.runcomfy.responses import ApiResponse
from tests.support.fake_runcomfy import BOAT, Answer, FakeMachine, reply

UNCLEAR = {
    "no answer": ReadError("connection lost"),
    "408": reply(408),
    "500": reply(500),
    "503 with Retry-After": reply(503, {"retry-after": "1"}),
    "redirect": reply(302),
    "empty": ApiResponse(200, {}, b""),
    "html": ApiResponse(200, {}, b"<html>"),
    "cut": ApiResponse(200, {}, b'{"request_id": "job-'),
    "wrong type": reply(request_id=7),
    "unsafe id": reply(request_id="../../etc/passwd"),
}
REFUSED = {
    "400": (reply(400, message="bad"), "did not accept the input"),
    "401": (reply(401, error_code=400004), "RUNCOMFY_API_TOKEN"),
    "402": (reply(402), "Add funds"),
    "400002": (reply(400, error_code=400002), "Add funds"),
    "403": (reply(403), "account"),
    "404": (reply(404), "does not have this"),
    "422": (reply(422, detail=[{"loc": ["body", "seed"], "msg": "too large"}]), "seed: too large"),
}


PATIENCE = 30.0


def test_the_intent_is_on_disk_before_the_call_and_the_id_right_after(machine: FakeMachine) -> None:
    seen = []
    machine.service.before["submit"] = lambda: seen.append(machine.journal.records()[0].state.value)
    machine.run()
    assert seen == ["intended"]
    assert machine.states() == ["saved"]


@pytest.mark.parametrize("answer", UNCLEAR.values(), ids=UNCLEAR)
def test_an_unclear_ending_is_not_repeated_and_told_once(machine: FakeMachine, answer: Answer) -> None:
    when = clock_time(machine.clock.wall())
    machine.service.script["submit"].append(answer)
    with pytest.raises(OutcomeUnknown) as caught:
        machine.run()
    assert machine.service.count("submit") == 1
    assert machine.states() == ["told"]
    message = str(caught.value)
    assert when in message
    assert BOAT.text in message
    assert "It may have been charged." in message
    assert "Generations page" in message
    assert "run the same graph again" in message

    assert machine.run().request_id == "job-1"
    assert machine.service.count("submit") == 2
    assert machine.states() == ["saved", "told"]


@pytest.mark.parametrize(("answer", "phrase"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_ends_at_once_and_is_not_held_against_the_next_run(
    machine: FakeMachine, answer: Answer, phrase: str
) -> None:
    machine.service.script["submit"].append(answer)
    with pytest.raises(RunComfyError, match=phrase) as caught:
        machine.run()
    assert "Nothing was charged." in str(caught.value)
    assert machine.service.count("submit") == 1
    assert machine.states() == ["refused"]
    machine.run()
    assert list(machine.service.accepted) == ["job-1"]


def test_a_rate_limit_is_waited_out_as_long_as_the_service_asks(machine: FakeMachine) -> None:
    machine.service.script["submit"] += [reply(429, {"retry-after": "17"}), reply(429), reply(429)]
    machine.run()
    times = [moment for kind, moment in machine.service.calls if kind == "submit"]
    assert len(times) == 4
    assert times[1] - times[0] == pytest.approx(17, abs=0.01)
    assert machine.said("limiting how often") == 3
    assert machine.said("Trying again in 17 s.") == 1
    assert machine.states() == ["saved"]


def test_a_rate_limit_without_end_ends_with_the_deadline(machine: FakeMachine) -> None:
    machine.change(deadline=100.0)
    machine.service.script["submit"] += [reply(429, {"retry-after": "30"})] * 9
    with pytest.raises(RateLimited, match=r"Nothing was charged\."):
        machine.run()
    assert machine.service.count("submit") == 4
    assert machine.states() == ["refused"]


def test_a_refused_connection_is_tried_again(machine: FakeMachine) -> None:
    machine.service.script["submit"] += [ConnectError("no connection")] * (CONNECT_ATTEMPTS - 1)
    machine.run()
    assert machine.service.count("submit") == CONNECT_ATTEMPTS
    assert list(machine.service.accepted) == ["job-1"]
    assert machine.states() == ["saved"]


def test_a_connection_that_never_comes_is_given_up(machine: FakeMachine) -> None:
    machine.service.script["submit"] += [ConnectError("no connection")] * 9
    with pytest.raises(ConnectError, match=r"could not be reached.*Nothing was charged\."):
        machine.run()
    assert machine.service.count("submit") == CONNECT_ATTEMPTS
    assert machine.states() == ["refused"]


def test_an_unclear_ending_after_a_rate_limit_names_the_time_of_the_last_call(machine: FakeMachine) -> None:
    machine.service.script["submit"] += [reply(429, {"retry-after": "240"}), ReadError("time-out")]
    first = clock_time(machine.clock.wall())
    with pytest.raises(OutcomeUnknown) as caught:
        machine.run()
    assert first not in str(caught.value)
    assert clock_time(machine.clock.wall()) in str(caught.value)


def test_what_was_intended_by_a_dead_run_is_told_as_unknown(machine: FakeMachine) -> None:
    class Killed(BaseException):
        """Ends the worker where it stands, as a kill would."""

    def kill() -> None:
        raise Killed

    machine.service.before["submit"] = kill
    with pytest.raises(Killed):
        machine.run()
    assert machine.states() == ["intended"]
    del machine.service.before["submit"]
    machine.restart()
    with pytest.raises(OutcomeUnknown):
        machine.run()
    machine.run()
    assert machine.service.count("submit") == 2
    assert machine.states() == ["saved", "told"]


@pytest.fixture
def break_journal(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, the journal can be read and not written."""

    def read_only(file: Path | None) -> sqlite3.Connection:
        database = connect(file)
        database.execute("PRAGMA query_only = ON")
        return database

    def break_it() -> None:
        monkeypatch.setattr(journal, "connect", read_only)
        machine.journal.close()

    return break_it


def test_without_a_record_nothing_is_submitted(machine: FakeMachine, break_journal: Callable[[], None]) -> None:
    machine.journal.records()
    break_journal()
    with pytest.raises(JournalUnusable, match=r"Nothing was submitted or charged\."):
        machine.run()
    assert machine.service.calls == []


def test_a_journal_that_breaks_after_the_payment_costs_no_video(
    machine: FakeMachine, break_journal: Callable[[], None]
) -> None:
    machine.service.before["submit"] = break_journal
    assert machine.run().request_id == "job-1"
    assert machine.said("note its request id: job-1") >= 1


def test_a_journal_that_is_lost_after_the_payment_costs_no_video(machine: FakeMachine) -> None:
    def lose() -> None:
        machine.journal.close()
        file = machine.folder / "private" / "jobs.sqlite3"
        file.unlink()
        file.mkdir()

    machine.service.before["submit"] = lose
    assert machine.run().files[0].exists()
    assert machine.said("note its request id: job-1") >= 1


def test_a_journal_that_breaks_during_an_unclear_call_hides_no_payment(
    machine: FakeMachine, break_journal: Callable[[], None]
) -> None:
    machine.service.before["submit"] = break_journal
    machine.service.script["submit"].append(ReadError("connection lost"))
    with pytest.raises(OutcomeUnknown, match=r"It may have been charged\."):
        machine.run()
    assert machine.states() == ["intended"]


def test_a_refused_token_is_named_by_its_source(machine: FakeMachine) -> None:
    machine.service.script["submit"].append(reply(401, error_code=400004, message="expired"))
    with pytest.raises(AuthenticationError, match="RUNCOMFY_API_TOKEN"):
        machine.run()


def test_a_run_cut_off_before_its_call_has_begun_is_never_submitted(machine: FakeMachine) -> None:
    """A sibling has failed while every thread for submissions is busy; the user reads that nothing was charged."""
    free, begun = threading.Event(), threading.Semaphore(0)

    def busy() -> None:
        begun.release()
        free.wait(PATIENCE)

    for _ in range(SUBMITS):
        machine.executors.submit(busy)
    for _ in range(SUBMITS):
        assert begun.acquire(timeout=PATIENCE)

    async def main() -> None:
        def when_told(event: Event) -> None:
            machine.lines.append(str(event))
            if isinstance(event, Submitting):
                asyncio.get_running_loop().call_soon(run.cancel)
            elif isinstance(event, StopReport):
                free.set()
                machine.executors.submit(str).result(PATIENCE)

        run = asyncio.ensure_future(JobRunner(machine.services).generate(BOAT, events=when_told, stop=machine.stop))
        await run

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert "before anything was submitted. Nothing was charged." in machine.lines[-1]
    assert machine.records() == []
    assert machine.service.calls == []
