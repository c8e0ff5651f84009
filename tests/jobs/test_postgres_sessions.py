"""What the journal asks of a PostgreSQL, and leaves to it: time, rights, secrets, what outlives a transaction."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing

import pytest

from nodes.jobs import postgres as postgres_module
from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from nodes.jobs.waiting import Clock
from tests.support.fake_runcomfy import TurningClock
from tests.support.job_records import KEY, intend
from tests.support.postgres import PASSWORD, Postgres


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


def server(url: str, clock: Clock | None = None) -> AbstractContextManager[Journal]:
    return closing(Journal(None, clock or Clock(), url))


def test_all_go_by_the_clock_of_the_database(url: str) -> None:
    with server(url) as journal, server(url, TurningClock()) as years_behind:
        record = intend(years_behind)
        journal.records()
        assert abs(journal.now() - years_behind.now()) < 5
        assert abs(record.created - journal.now()) < 5


def test_a_machine_that_vanishes_within_a_transaction_keeps_nobody_waiting(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session, lock and all, is ended by the database."""
    limits = postgres_module.EXCLUSIVE.replace("10s", "100ms")
    assert limits != postgres_module.EXCLUSIVE
    monkeypatch.setattr(postgres_module, "EXCLUSIVE", limits)
    inside, go_on = threading.Event(), threading.Event()

    def vanish(_: object) -> None:
        inside.set()
        go_on.wait(30)

    with server(url) as journal, server(url) as other, ThreadPoolExecutor(1) as thread:
        vanished = thread.submit(journal.database.transact, vanish)
        assert inside.wait(30)
        intend(other)
        go_on.set()
        assert isinstance(vanished.exception(30), JournalUnusable)


def test_nothing_outlives_a_transaction(url: str) -> None:
    """So that a pooler may hand the connection to another client after each."""
    with server(url) as journal:
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


def test_a_user_who_may_make_no_tables_can_use_those_that_are_there(postgres: Postgres, url: str) -> None:
    with server(url) as journal:
        intend(journal)
    with postgres.connect(url.rpartition("/")[2]) as connection:
        connection.execute("CREATE ROLE limited LOGIN")
        connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO limited")
    with server(url.replace("//postgres:", "//limited:")) as journal:
        assert len(journal.of_request(KEY)) == 1


def test_the_password_is_nowhere(
    url: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    urls = {
        "works": url,
        "nobody listens": f"postgresql://me:{PASSWORD}@127.0.0.1:1/jobs",
        "no such host": f"postgresql://me:{PASSWORD}@nowhere.invalid/jobs",
        "no such database": url + "x",
        **{f"an unescaped {sign}": f"postgresql://me:x{sign}{PASSWORD}@127.0.0.1:1/jobs" for sign in "@/:#?"},
        "an unescaped @ and ?": f"postgresql://me:x@{PASSWORD}?y@127.0.0.1/jobs",
        "as an option": f"postgresql://127.0.0.1:1/jobs?user=me&password={PASSWORD}",
        "an odd option": f"postgresql://127.0.0.1:1/jobs?passwort={PASSWORD}",
        "an odd port": f"postgresql://me:a@127.0.0.1:{PASSWORD}/jobs",
        "another database": f"mysql://me:{PASSWORD}@127.0.0.1/jobs",
        "no URL": f"{PASSWORD}",
    }
    for name, each in urls.items():
        with server(each) as journal:
            said = [repr(journal), repr(journal.database), str(journal.database)]
            if name == "works":
                said.append(repr(intend(journal)))
            else:
                with pytest.raises(JournalUnusable) as caught:
                    journal.records()
                said += [str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))]
        assert not [text for text in said if PASSWORD in text], name
    assert PASSWORD not in caplog.text
    assert PASSWORD not in "".join(capsys.readouterr())


def test_a_missing_driver_is_asked_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with server(url) as journal, pytest.raises(JournalUnusable, match=r'pip install "psycopg\[binary\]"'):
        journal.records()
