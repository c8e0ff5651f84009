"""A journal in PostgreSQL: connections that break, a database that is away, and what its owner may rely on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from nodes.jobs import postgres as postgres_module
from nodes.jobs.database import Database
from nodes.jobs.errors import CommitUnknown, JournalUnusable, OutcomeUnknown
from nodes.jobs.journal import Journal
from nodes.jobs.records import Order, RequestKey, State
from nodes.jobs.waiting import Clock
from tests.support.cutting_proxy import Act, CuttingProxy
from tests.support.fake_runcomfy import BOAT
from tests.support.job_records import KEY, intend, record_in
from tests.support.machine import FakeMachine
from tests.support.postgres import Postgres


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[CuttingProxy]:
    with CuttingProxy(postgres.port) as proxy:
        yield proxy


@pytest.fixture
def url(postgres: Postgres, proxy: CuttingProxy) -> str:
    return postgres.new_database(proxy.port)


@pytest.fixture
def database(url: str) -> Callable[[], str]:
    """For a `machine`."""
    return lambda: url


@pytest.fixture
def journal(file: Path, url: str) -> Iterator[Journal]:
    with closing(Journal(file, Clock(), url)) as journal:
        yield journal


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "PAUSE", 0.01)


def at_commit(act: Act) -> Callable[[bytes], Act]:
    """Do that to the next commit."""
    left = [act]
    return lambda piece: left.pop() if left and b"COMMIT\0" in piece else Act.PASS


def test_what_becomes_of_a_transaction_whose_commit_was_not_acknowledged(journal: Journal, proxy: CuttingProxy) -> None:
    """An intent is looked up, what only reads is done again, and a change is made once."""
    for act, is_written in ((Act.CUT_AFTER, True), (Act.CUT_BEFORE, False)):
        key = replace(KEY, request=act.value)
        accepted = record_in(State.ACCEPTED, journal, replace(KEY, request=f"accepted {act.value}"))
        seen = journal.of_request(key)
        proxy.judge = at_commit(act)
        record = journal.create(Order(BOAT, key), seen, "me")
        assert (record is not None) is is_written, act
        assert [found.uid for found in journal.of_request(key)] == ([record.uid] if record else []), act
        proxy.judge = at_commit(act)
        assert journal.job(accepted.request_id), act
        proxy.judge = at_commit(act)
        with pytest.raises(CommitUnknown):
            journal.transition(accepted, State.SUCCEEDED, cost=0.03)
        journal.pending.write()
        found = journal.job(accepted.request_id)
        assert found
        assert (found.state, found.cost) == (State.SUCCEEDED, 0.03), act


def test_a_transaction_is_repeated_only_if_it_was_not_committed(journal: Journal, proxy: CuttingProxy) -> None:
    record = intend(journal)
    for _ in range(5):
        proxy.cut()  # nobody is at work just now
        assert journal.of_request(KEY) == [record]
    cuts = [proxy.cut]

    def work(connection: Connection, statement: str) -> None:
        if cuts:
            cuts.pop()()
        connection.exec_driver_sql(statement)

    journal.database.transact(partial(work, statement="SELECT 1"))
    assert not cuts
    with pytest.raises(IntegrityError):
        journal.database.transact(partial(work, statement="INSERT INTO paid_jobs SELECT * FROM paid_jobs"))
    assert journal.of_request(KEY) == [record]


def test_where_an_intent_cannot_be_looked_up_either_nothing_is_sent(machine: FakeMachine, proxy: CuttingProxy) -> None:
    machine.journal.records()  # so that the tables are there
    seen = b""

    def commit_and_vanish(piece: bytes) -> Act:
        nonlocal seen
        seen += piece
        if b"INSERT INTO paid_jobs" in seen and b"COMMIT\0" in piece:
            proxy.judge = lambda _: Act.CUT_BEFORE
            return Act.CUT_AFTER
        return Act.PASS

    proxy.judge = commit_and_vanish
    assert "Nothing was charged." in machine.failed(JournalUnusable)
    proxy.come_back()
    machine.clock.now += 100
    machine.failed(OutcomeUnknown)  # the intent is all that is known of it
    assert not machine.bought
    assert machine.run().request_id == "job-1"


def test_before_anything_is_submitted_nothing_is_bought_without_the_database(
    machine: FakeMachine, proxy: CuttingProxy
) -> None:
    """Nor where a run waits for another's job meanwhile."""
    proxy.go_away()
    assert "Nothing was charged. Check that the database" in machine.failed(JournalUnusable)
    proxy.come_back()
    key = RequestKey.of(BOAT, account="account", origin="https://runcomfy")
    intend(machine.journal, key, owner="another machine|1|0|run")

    def go(event: object) -> None:
        if "Another run is submitting the same video" in str(event):
            proxy.go_away()

    assert "Nothing was charged." in machine.failed(JournalUnusable, run=replace(machine.prompt(), show=go))
    assert not machine.bought


def test_in_the_middle_of_a_job_it_goes_on_and_is_written_down_later(machine: FakeMachine, proxy: CuttingProxy) -> None:
    """Whichever step the database is away at, and if it is back only after the video has come."""
    for number, step in enumerate(("submit", "status", "download"), 1):
        machine.service.before = {step: proxy.go_away}
        machine.during_download = proxy.go_away if step == "download" else None
        request = replace(BOAT, text=step)
        video = machine.run(request)
        assert machine.said(f"The job goes on; note its request id: job-{number}."), step
        machine.service.before, machine.during_download = {}, None
        proxy.come_back()
        machine.journal.pending.write()
        record = machine.journal.job(video.request_id)
        assert record, step
        assert (record.state, record.cost, record.files) == (State.SAVED, 0.03, (video.files[0].name,)), step
        assert machine.run(request).reused, step
    assert machine.bought == 3


def test_stop_waits_for_no_database(machine: FakeMachine, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_module, "ANSWER_SECONDS", 1e6)
    machine.journal.records()

    def swallow(_: bytes) -> Act:
        machine.press_stop()
        return Act.SWALLOW

    proxy.judge = swallow
    with ThreadPoolExecutor(1) as thread:
        try:
            said = thread.submit(machine.stopped).result(30)
        finally:
            proxy.go_away()
    assert "before anything was submitted. Nothing was charged." in said


def test_a_server_that_answers_nothing_any_more_is_given_up(
    journal: Journal, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was paused, or a network that swallows everything."""
    journal.records()
    monkeypatch.setattr(postgres_module, "ANSWER_SECONDS", 0.2)

    def swallow(_: bytes) -> Act:
        proxy.judge = lambda _: Act.CUT_BEFORE  # whoever connects anew
        return Act.SWALLOW

    proxy.judge = swallow
    with pytest.raises(JournalUnusable):
        journal.records()
    proxy.come_back()
    proxy.cut()
    assert journal.records() == []
