"""A journal in PostgreSQL: connections that break, a database that is away, servers that start at once."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from nodes.jobs import postgres as postgres_module
from nodes.jobs.budget import Limit, Purchase
from nodes.jobs.database import Database
from nodes.jobs.errors import BudgetReached, CommitUnknown, JournalUnusable, OutcomeUnknown
from nodes.jobs.journal import Journal
from nodes.jobs.records import Order, RequestKey, State
from nodes.jobs.waiting import Clock
from nodes.runcomfy.errors import ReadError
from tests.support.cutting_proxy import Act, CuttingProxy
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import KEY, intend, record_in
from tests.support.machine import FakeMachine
from tests.support.postgres import PASSWORD, Postgres


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[CuttingProxy]:
    with CuttingProxy(postgres.port) as proxy:
        yield proxy


@pytest.fixture
def url(postgres: Postgres, proxy: CuttingProxy) -> str:
    return postgres.new_database(proxy.port)


@pytest.fixture
def journal(tmp_path: Path, url: str) -> Iterator[Journal]:
    journal = Journal(tmp_path / "private" / "jobs.sqlite3", Clock(), url)
    yield journal
    journal.close()


@pytest.fixture
def database(url: str) -> Callable[[], str]:
    """For a `machine`."""
    return lambda: url


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "PAUSE", 0.01)


def at_commit(act: Act) -> Callable[[bytes], Act]:
    """Do that to the next commit."""
    left = [act]
    return lambda piece: left.pop() if left and b"COMMIT\0" in piece else Act.PASS


def away(_: bytes) -> Act:
    return Act.CUT_BEFORE


def here(_: bytes) -> Act:
    return Act.PASS


def go_away(proxy: CuttingProxy) -> None:
    proxy.judge = away
    proxy.cut()


def in_url(url: str) -> AbstractContextManager[Journal]:
    """Another server's."""
    return closing(Journal(None, Clock(), url))


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


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
        journal.write_pending()
        found = journal.job(accepted.request_id)
        assert found
        assert (found.state, found.cost) == (State.SUCCEEDED, 0.03), act


def test_where_an_intent_cannot_be_looked_up_either_nothing_is_sent(machine: FakeMachine, proxy: CuttingProxy) -> None:
    machine.journal.records()  # so that the tables are there
    seen = b""

    def commit_and_vanish(piece: bytes) -> Act:
        nonlocal seen
        seen += piece
        if b"INSERT INTO paid_jobs" in seen and b"COMMIT\0" in piece:
            proxy.judge = away
            return Act.CUT_AFTER
        return Act.PASS

    proxy.judge = commit_and_vanish
    with pytest.raises(JournalUnusable, match=r"Nothing was charged\."):
        machine.run()
    proxy.judge = here
    machine.clock.now += 100
    with pytest.raises(OutcomeUnknown):  # the intent is all that is known of it
        machine.run()
    assert not machine.service.accepted
    assert machine.run().request_id == "job-1"


def test_before_anything_is_submitted_nothing_is_bought_without_the_database(
    machine: FakeMachine, proxy: CuttingProxy
) -> None:
    """Nor where a run waits for another's job meanwhile."""
    proxy.judge = away
    with pytest.raises(JournalUnusable, match=r"Nothing was charged\. Check that the database"):
        machine.run()
    proxy.judge = here
    key = RequestKey.of(BOAT, model=machine.account.client.model, account="account", origin="https://runcomfy")
    intend(machine.journal, key, owner="another machine|1|0|run")

    def go(event: object) -> None:
        if "Another run is submitting the same video" in str(event):
            go_away(proxy)

    with pytest.raises(JournalUnusable, match=r"Nothing was charged\."):
        machine.run(run=replace(machine.prompt(), report=go))
    assert not machine.service.accepted


def test_in_the_middle_of_a_job_it_goes_on_and_is_written_down_later(machine: FakeMachine, proxy: CuttingProxy) -> None:
    """Whichever step the database is away at, and if it is back only after the video has come."""
    go = partial(go_away, proxy)
    for number, step in enumerate(("submit", "status", "download"), 1):
        machine.service.before = {step: go}
        machine.during_download = go if step == "download" else None
        request = replace(BOAT, text=step)
        video = machine.run(request)
        assert machine.said(f"The job goes on; note its request id: job-{number}."), step
        machine.service.before, machine.during_download = {}, None
        proxy.judge = here
        machine.journal.write_pending()
        record = machine.journal.job(video.request_id)
        assert record, step
        assert (record.state, record.cost, record.files) == (State.SAVED, 0.03, (video.files[0].name,)), step
        assert machine.run(request).reused, step
    assert len(machine.service.accepted) == 3


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
            go_away(proxy)
    assert "before anything was submitted. Nothing was charged." in said


def test_an_unclear_outcome_while_the_database_is_away_is_told_once(machine: FakeMachine, proxy: CuttingProxy) -> None:
    def go_and_fail() -> None:
        go_away(proxy)
        raise ReadError("connection lost")

    machine.service.before["submit"] = go_and_fail
    with pytest.raises(OutcomeUnknown):
        machine.run()
    proxy.judge = here
    machine.service.before.clear()
    assert machine.run().request_id == "job-2"


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


def test_a_server_that_answers_nothing_any_more_is_given_up(
    journal: Journal, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was paused, or a network that swallows everything."""
    journal.records()
    monkeypatch.setattr(postgres_module, "ANSWER_SECONDS", 0.2)

    def swallow(_: bytes) -> Act:
        proxy.judge = away  # whoever connects anew
        return Act.SWALLOW

    proxy.judge = swallow
    with pytest.raises(JournalUnusable):
        journal.records()
    proxy.judge = here
    proxy.cut()
    assert journal.records() == []


def test_a_machine_that_vanishes_within_a_transaction_keeps_nobody_waiting(
    journal: Journal, url: str, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session, lock and all, is ended by the server."""
    limits = postgres_module.EXCLUSIVE.replace("10s", "100ms")
    assert limits != postgres_module.EXCLUSIVE
    monkeypatch.setattr(postgres_module, "EXCLUSIVE", limits)
    journal.records()
    inside, go_on = threading.Event(), threading.Event()

    def vanish(_: object) -> None:
        inside.set()
        go_on.wait(30)

    with ThreadPoolExecutor(1) as thread:
        vanished = thread.submit(journal.database.transact, vanish)
        assert inside.wait(30)
        with in_url(url) as other:
            intend(other)
        go_on.set()
        assert isinstance(vanished.exception(30), JournalUnusable)


def test_all_go_by_the_clock_of_the_database(journal: Journal, url: str) -> None:
    with closing(Journal(None, TurningClock(), url)) as other:  # years behind
        record = intend(other)
        journal.records()
        assert abs(journal.now() - other.now()) < 5
        assert abs(record.created - journal.now()) < 5


def test_many_servers_that_start_at_once_make_the_tables_once(postgres: Postgres) -> None:
    together = threading.Barrier(6)

    def begin(url: str) -> int:
        together.wait(30)
        with in_url(url) as journal:
            return len(journal.records())

    for _ in range(3):
        with ThreadPoolExecutor(6) as threads:
            assert list(threads.map(begin, [postgres.new_database()] * 6)) == [0] * 6


def test_a_budget_is_kept_whatever_view_the_databases_owner_has_set(postgres: Postgres) -> None:
    """Where a transaction sees all of the database as it was at its start, that must not be before its lock."""
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"ALTER DATABASE {name_of(url)} SET default_transaction_isolation = 'repeatable read'")
    at_once = threading.Barrier(4)

    def buy(number: int) -> bool:
        key = replace(KEY, request=f"{number}")
        with in_url(url) as journal:
            seen = journal.of_request(key)
            at_once.wait(10)
            try:
                return journal.create(Order(BOAT, key), seen, "me", Purchase(1, Limit(1))) is not None
            except BudgetReached:
                return False

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(buy, range(4))) == 1


def test_tables_of_an_earlier_version_get_what_they_lack(postgres: Postgres) -> None:
    url = postgres.new_database()
    with in_url(url) as journal:
        record = record_in(State.SAVED, journal, cost=0.03)
    with postgres.connect(name_of(url)) as connection:
        connection.execute("DROP TABLE journal_version, waiting_runs")
        connection.execute("DROP INDEX jobs_of_a_claim")
        connection.execute("ALTER TABLE paid_jobs RENAME TO job_records")
        connection.execute("ALTER TABLE job_records DROP COLUMN media_host")
    with in_url(url) as journal:
        assert journal.of_request(KEY) == [record]
        intend(journal, run="a run", owner="me", purchase=Purchase(max_jobs=1))
    # A server of that version that is started now begins by making its table, with these indexes.
    with postgres.connect(name_of(url)) as connection:
        for name in ("one_unfinished_job", "jobs_of_a_request", "jobs_of_an_id", "jobs_of_a_kind", "jobs_of_a_claim"):
            with pytest.raises(psycopg.errors.DuplicateTable):
                connection.execute(f"CREATE INDEX {name} ON waiting_runs (id)")


def test_a_user_who_may_make_no_tables_can_use_those_that_are_there(postgres: Postgres) -> None:
    url = postgres.new_database()
    with in_url(url) as journal:
        intend(journal)
    with postgres.connect(name_of(url)) as connection:
        connection.execute("CREATE ROLE limited LOGIN")
        connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO limited")
    with in_url(url.replace("//postgres:", "//limited:")) as journal:
        assert len(journal.of_request(KEY)) == 1


def test_nothing_outlives_a_transaction(journal: Journal) -> None:
    """So that a pooler may hand the connection to another client after each."""
    for number in range(20):
        intend(journal, run=f"{number}")
    # In the session of a transaction, after its end.
    engine = journal.database.transact(lambda connection: connection.engine)
    with engine.connect() as session:
        found = session.exec_driver_sql(
            """SELECT current_setting('statement_timeout'), (SELECT count(*) FROM pg_prepared_statements),
            (SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database
            WHERE datname = current_database() AND locktype = 'advisory')"""
        )
        assert tuple(found.one()) == ("0", 0, 0)


def test_the_password_is_nowhere(
    tmp_path: Path, postgres: Postgres, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    good = postgres.new_database()
    urls = {
        "works": good,
        "nobody listens": f"postgresql://me:{PASSWORD}@127.0.0.1:1/jobs",
        "no such host": f"postgresql://me:{PASSWORD}@nowhere.invalid/jobs",
        "no such database": good + "x",
        **{f"an unescaped {sign}": f"postgresql://me:x{sign}{PASSWORD}@127.0.0.1:1/jobs" for sign in "@/:#?"},
        "an unescaped @ and ?": f"postgresql://me:x@{PASSWORD}?y@127.0.0.1/jobs",
        "as an option": f"postgresql://127.0.0.1:1/jobs?user=me&password={PASSWORD}",
        "an odd option": f"postgresql://127.0.0.1:1/jobs?passwort={PASSWORD}",
        "an odd port": f"postgresql://me:a@127.0.0.1:{PASSWORD}/jobs",
        "another database": f"mysql://me:{PASSWORD}@127.0.0.1/jobs",
        "no URL": f"{PASSWORD}",
    }
    for name, url in urls.items():
        journal = Journal(tmp_path / "jobs.sqlite3", Clock(), url)
        said = [repr(journal), repr(journal.database), str(journal.database)]
        if name == "works":
            said.append(repr(intend(journal)))
        else:
            with pytest.raises(JournalUnusable) as caught:
                journal.records()
            said += [str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))]
        journal.close()
        assert not [text for text in said if PASSWORD in text], name
    assert PASSWORD not in caplog.text
    assert PASSWORD not in "".join(capsys.readouterr())


def test_a_missing_driver_is_asked_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with in_url(url) as journal, pytest.raises(JournalUnusable, match=r'pip install "psycopg\[binary\]"'):
        journal.records()


def test_another_servers_video_is_found_in_a_shared_folder_or_fetched_again_for_free(
    machine: FakeMachine, url: str, tmp_path: Path
) -> None:
    bought = machine.run()
    for folder, reused in ((machine.folder / "videos", True), (tmp_path / "another's", False)):
        other = FakeMachine(tmp_path / "other", machine.clock, url)
        other.change(folder=folder, client=machine.account.client)
        video = other.run()
        assert (video.request_id, video.reused, video.files[0].parent) == (bought.request_id, reused, folder)
        assert len(other.links) == (0 if reused else 1)
        other.close()
    assert len(machine.service.accepted) == 1
