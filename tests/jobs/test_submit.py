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
from nodes.jobs.events import Event, Settled, Submitting
from nodes.jobs.executors import SUBMITS
from nodes.jobs.runner import Generator
from nodes.jobs.submit import CONNECT_ATTEMPTS
from nodes.runcomfy.errors import AccountError, NoReply, RateLimited, RunComfyError, Unreachable
from nodes.runcomfy.transport import Reply
from tests.support.fake_runcomfy import BOAT, Answer, Play, reply

UNCLEAR = {
    "no answer": NoReply("connection lost"),
    "408": reply(408),
    "500": reply(500),
    "503 with Retry-After": reply(503, {"retry-after": "1"}),
    "redirect": reply(302),
    "empty": Reply(200, {}, b""),
    "html": Reply(200, {}, b"<html>"),
    "cut": Reply(200, {}, b'{"request_id": "job-'),
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


def test_the_intent_is_on_disk_before_the_call_and_the_id_right_after(play: Play) -> None:
    seen = []
    play.service.before["submit"] = lambda: seen.append(play.journal.entries()[0].state.value)
    play.run()
    assert seen == ["intended"]
    assert play.states() == ["saved"]


@pytest.mark.parametrize("answer", UNCLEAR.values(), ids=UNCLEAR)
def test_an_unclear_ending_is_not_repeated_and_told_once(play: Play, answer: Answer) -> None:
    when = clock_time(play.clock.wall())
    play.service.script["submit"].append(answer)
    with pytest.raises(OutcomeUnknown) as caught:
        play.run()
    assert play.service.count("submit") == 1
    assert play.states() == ["told"]
    message = str(caught.value)
    assert when in message
    assert BOAT.text in message
    assert "It may have been charged." in message
    assert "Generations page" in message
    assert "run the same graph again" in message

    assert play.run().request_id == "job-1"
    assert play.service.count("submit") == 2
    assert play.states() == ["saved", "told"]


@pytest.mark.parametrize(("answer", "phrase"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_ends_at_once_and_is_not_held_against_the_next_run(play: Play, answer: Answer, phrase: str) -> None:
    play.service.script["submit"].append(answer)
    with pytest.raises(RunComfyError, match=phrase) as caught:
        play.run()
    assert "Nothing was charged." in str(caught.value)
    assert play.service.count("submit") == 1
    assert play.states() == ["refused"]
    play.run()
    assert list(play.service.accepted) == ["job-1"]


def test_a_rate_limit_is_waited_out_as_long_as_the_service_asks(play: Play) -> None:
    play.service.script["submit"] += [reply(429, {"retry-after": "17"}), reply(429), reply(429)]
    play.run()
    times = [moment for kind, moment in play.service.calls if kind == "submit"]
    assert len(times) == 4
    assert times[1] - times[0] == pytest.approx(17, abs=0.01)
    assert play.said("limiting how often") == 3
    assert play.said("Trying again in 17 s.") == 1
    assert play.states() == ["saved"]


def test_a_rate_limit_without_end_ends_with_the_deadline(play: Play) -> None:
    play.change(deadline=100.0)
    play.service.script["submit"] += [reply(429, {"retry-after": "30"})] * 9
    with pytest.raises(RateLimited, match=r"Nothing was charged\."):
        play.run()
    assert play.service.count("submit") == 4
    assert play.states() == ["refused"]


def test_a_refused_connection_is_tried_again(play: Play) -> None:
    play.service.script["submit"] += [Unreachable("no connection")] * (CONNECT_ATTEMPTS - 1)
    play.run()
    assert play.service.count("submit") == CONNECT_ATTEMPTS
    assert list(play.service.accepted) == ["job-1"]
    assert play.states() == ["saved"]


def test_a_connection_that_never_comes_is_given_up(play: Play) -> None:
    play.service.script["submit"] += [Unreachable("no connection")] * 9
    with pytest.raises(Unreachable, match=r"could not be reached.*Nothing was charged\."):
        play.run()
    assert play.service.count("submit") == CONNECT_ATTEMPTS
    assert play.states() == ["refused"]


def test_an_unclear_ending_after_a_rate_limit_names_the_time_of_the_last_call(play: Play) -> None:
    play.service.script["submit"] += [reply(429, {"retry-after": "240"}), NoReply("time-out")]
    first = clock_time(play.clock.wall())
    with pytest.raises(OutcomeUnknown) as caught:
        play.run()
    assert first not in str(caught.value)
    assert clock_time(play.clock.wall()) in str(caught.value)


def test_what_was_intended_by_a_dead_run_is_told_as_unknown(play: Play) -> None:
    class Killed(BaseException):
        """Ends the worker where it stands, as a kill would."""

    def kill() -> None:
        raise Killed

    play.service.before["submit"] = kill
    with pytest.raises(Killed):
        play.run()
    assert play.states() == ["intended"]
    del play.service.before["submit"]
    play.restart()
    with pytest.raises(OutcomeUnknown):
        play.run()
    play.run()
    assert play.service.count("submit") == 2
    assert play.states() == ["saved", "told"]


@pytest.fixture
def break_journal(play: Play, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, the journal can be read and not written."""

    def read_only(file: Path | None) -> sqlite3.Connection:
        database = connect(file)
        database.execute("PRAGMA query_only = ON")
        return database

    def break_it() -> None:
        monkeypatch.setattr(journal, "connect", read_only)
        play.journal.close()

    return break_it


def test_without_a_record_nothing_is_submitted(play: Play, break_journal: Callable[[], None]) -> None:
    play.journal.entries()
    break_journal()
    with pytest.raises(JournalUnusable, match=r"Nothing was submitted or charged\."):
        play.run()
    assert play.service.calls == []


def test_a_journal_that_breaks_after_the_payment_costs_no_video(play: Play, break_journal: Callable[[], None]) -> None:
    play.service.before["submit"] = break_journal
    assert play.run().request_id == "job-1"
    assert play.said("note its request id: job-1") >= 1


def test_a_journal_that_is_lost_after_the_payment_costs_no_video(play: Play) -> None:
    def lose() -> None:
        play.journal.close()
        file = play.folder / "private" / "jobs.sqlite3"
        file.unlink()
        file.mkdir()

    play.service.before["submit"] = lose
    assert play.run().files[0].exists()
    assert play.said("note its request id: job-1") >= 1


def test_a_journal_that_breaks_during_an_unclear_call_hides_no_payment(
    play: Play, break_journal: Callable[[], None]
) -> None:
    play.service.before["submit"] = break_journal
    play.service.script["submit"].append(NoReply("connection lost"))
    with pytest.raises(OutcomeUnknown, match=r"It may have been charged\."):
        play.run()
    assert play.states() == ["intended"]


def test_a_refused_token_is_named_by_its_source(play: Play) -> None:
    play.service.script["submit"].append(reply(401, error_code=400004, message="expired"))
    with pytest.raises(AccountError, match="RUNCOMFY_API_TOKEN"):
        play.run()


def test_a_run_cut_off_before_its_call_has_begun_is_never_submitted(play: Play) -> None:
    """A sibling has failed while every thread for submissions is busy; the user reads that nothing was charged."""
    free, begun = threading.Event(), threading.Semaphore(0)

    def busy() -> None:
        begun.release()
        free.wait(PATIENCE)

    for _ in range(SUBMITS):
        play.workers.submit(busy)
    for _ in range(SUBMITS):
        assert begun.acquire(timeout=PATIENCE)

    async def main() -> None:
        def when_told(event: Event) -> None:
            play.lines.append(str(event))
            if isinstance(event, Submitting):
                asyncio.get_running_loop().call_soon(run.cancel)
            elif isinstance(event, Settled):
                free.set()
                play.workers.submit(str).result(PATIENCE)

        run = asyncio.ensure_future(Generator(play.means).generate(BOAT, events=when_told, stop=play.stop))
        await run

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert "before anything was submitted. Nothing was charged." in play.lines[-1]
    assert play.entries() == []
    assert play.service.calls == []
