"""The record of paid jobs: private, durable, and loud where it cannot be kept. `tests/faults` has it locked, full,
replaced and deleted at every step of a job.
"""

from __future__ import annotations

import errno
import json
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from nodes.jobs.budget import Purchase
from nodes.jobs.claims import Claims
from nodes.jobs.database import Database
from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from nodes.jobs.records import Order, RequestKey, State, hash_of
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import KEY, intend, record_in
from tests.support.postgres import on_both

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes, and keeps open files")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    # A folder of the user's choice: none of these may mean anything.
    return tmp_path / "50% of #1? it's {mine}" / "jobs.sqlite3"


@pytest.fixture
def journal(file: Path, database: Callable[[], str]) -> Iterator[Journal]:
    journal = Journal(file, TurningClock(), database())
    yield journal
    journal.close()


def execute(journal: Journal, statement: str) -> list[tuple[object, ...]]:
    """Run a statement on the journal's own connection."""

    def work(connection: Connection) -> list[tuple[object, ...]]:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []

    return journal.database.transact(work)


def read_only(journal: Journal) -> None:
    """What the mode of the file does for everybody but root."""
    execute(journal, "PRAGMA query_only = ON")


@on_posix
def test_only_its_owner_can_read_it(file: Path, journal: Journal) -> None:
    """Not even one that was restored from a backup."""
    for _ in range(2):
        intend(journal, replace(KEY, request=f"request {len(journal.records())}"))
        assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        journal.close()
        file.chmod(0o644)
        file.parent.chmod(0o755)


def test_what_is_committed_is_on_the_disk(journal: Journal) -> None:
    """A power cut after the submit call must find the intent. WAL would not work on a network drive."""
    assert execute(journal, "PRAGMA synchronous") == [(2,)]
    assert execute(journal, "PRAGMA fullfsync") == [(1,)]
    assert execute(journal, "PRAGMA journal_mode") == [("truncate",)]


@on_both
def test_a_record_comes_back_as_it_was_written(journal: Journal) -> None:
    record = record_in(State.SAVED, journal, cost=0.03, seconds=41.5, price="$0.02 per second", media_host="media")
    record = journal.transition(record, State.SAVED, files=("job-1.mp4", "job-1-2.mp4"))
    journal.close()
    assert journal.of_request(KEY) == journal.records() == [journal.job("job-1")] == [journal.row(1)] == [record]
    assert (record.request, record.cost, record.seconds, record.files[1]) == (BOAT, 0.03, 41.5, "job-1-2.mp4")


@on_both
def test_a_request_finds_its_records_of_every_account_at_its_service(journal: Journal) -> None:
    keys = [KEY, replace(KEY, account="renewed"), replace(KEY, origin=""), replace(KEY, origin="https://another")]
    for key in (*keys, replace(KEY, request="another")):
        intend(journal, key, run=hash_of(str(key)))
    assert [record.key for record in journal.of_request(KEY)] == keys[2::-1]


@on_both
def test_an_intent_is_written_by_whoever_has_seen_all_there_is(journal: Journal) -> None:
    seen = journal.of_request(KEY)
    first = intend(journal, owner="owner")
    order = Order(BOAT, KEY)
    assert journal.create(order, seen, "owner") is None
    assert journal.create(order, [first], "owner") is None, "two unfinished jobs of one request"
    assert journal.create(replace(order, run_key="a run"), [first], "owner"), "a run that wants a new one"
    journal.transition(first, State.REFUSED)
    assert intend(journal, owner="owner").id == first.id, "its own attempt is written over"
    journal.transition(first, State.REFUSED)
    others = intend(journal, owner="another")
    assert others.id != first.id
    journal.transition(others, State.REFUSED)
    done = journal.transition(journal.accept(first, "job-1"), State.SUCCEEDED)
    journal.transition(done, State.SAVED)
    assert journal.create(order, [first], "owner") is None, "it was bought meanwhile"


def in_its_place_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


SPOILT: dict[str, Callable[[Path], object]] = {
    "not a database": lambda file: file.write_bytes(b"this was a database once" * 100),
    "malformed": lambda file: file.write_bytes(file.read_bytes()[:4096] + b"\xff" * (file.stat().st_size - 4096)),
    "unable to open": in_its_place_a_folder,
}


def test_a_spoilt_journal_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "PAUSE", 0.001)
    for reason, spoil in SPOILT.items():
        file = tmp_path / reason / "jobs.sqlite3"
        journal = Journal(file, TurningClock())
        record = record_in(State.ACCEPTED, journal)
        journal.close()
        spoil(file)
        acts: tuple[Callable[[], object], ...] = (
            partial(journal.of_request, KEY),
            partial(journal.create, Order(BOAT, KEY), [], "owner"),
            partial(journal.transition, record, State.SUCCEEDED),
        )
        for act in acts:
            with pytest.raises(JournalUnusable, match=rf"{reason}.* Nothing was charged\.") as caught:
                act()
            assert str(file) in str(caught.value), reason


@on_both
def test_what_fails_within_a_transaction_leaves_nothing(journal: Journal) -> None:
    record = intend(journal)

    def break_off(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM paid_jobs")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        journal.database.transact(break_off)
    assert journal.records() == [record]


def test_an_accepted_id_is_never_lost(file: Path) -> None:
    """Neither in a journal that cannot be written at that moment, nor with the process, nor with the journal."""
    for what in ("written later", "process dies", "journal is lost", "journal is lost, and another has bought"):
        shutil.rmtree(file.parent, ignore_errors=True)
        journal = Journal(file, TurningClock())
        record = intend(journal, purchase=Purchase(60_000))
        read_only(journal)
        with pytest.raises(JournalUnusable):
            journal.accept(record, "paid")
        (kept,) = file.parent.glob("accepted-*")
        asked = {"key": [*astuple(KEY)], "run": "", "request": BOAT.canonical()}
        known_by = {"uid": record.uid, "request_id": "paid", "created": record.created, "estimate": 60_000}
        assert json.loads(kept.read_text()) == {**asked, **known_by}, "earlier versions read it, too"
        if what != "written later":
            journal.close()
            journal = Journal(file, TurningClock())
        if what.startswith("journal is lost"):
            file.unlink()
        if what.endswith("has bought"):
            kept.rename(file.parent / "kept")
            intend(journal)
            (file.parent / "kept").rename(kept)
        found = journal.of_request(KEY)
        paid = next((each for each in found if each.request_id == "paid"), None)
        assert paid, what
        expected = State.SURPLUS if what.endswith("has bought") else State.ACCEPTED
        assert (paid.uid, paid.state, paid.request, paid.estimate) == (record.uid, expected, BOAT, 60_000), what
        assert journal.of_request(KEY) == found, what
        assert not list(file.parent.glob("accepted-*")), what
        journal.close()


KEPT = {"uid": "x", "request_id": "job-9", "run": "", "created": 1.0, "key": ["r", "a", "o"], "request": "{}"}


def test_what_lies_beside_it_and_is_no_id_harms_nothing(file: Path, journal: Journal) -> None:
    file.parent.mkdir()
    wrong = {"uid": {}, "request_id": "../x", "key": [1, 2, 3], "run": 1}
    odd = [{**KEPT, name: value} for name, value in wrong.items()]
    for number, text in enumerate(("", "[]", '{"uid": "x"', "null", '{"uid": 1, "key": [1]}', *map(json.dumps, odd))):
        (file.parent / f"accepted-{number}.json").write_text(text)
    assert journal.of_request(KEY) == []
    assert len(list(file.parent.glob("accepted-*"))) == 9, "a file of the user's was deleted"


@on_both
def test_a_folder_beside_it_that_cannot_be_listed_just_now_keeps_nobody_from_the_records(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be on another drive than the database of a server."""
    record = record_in(State.ACCEPTED, journal)

    def stale(*_: object) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(Path, "glob", stale)
    assert [each.request_id for each in journal.of_request(KEY)] == [record.request_id]


def test_what_the_database_refuses_for_good_is_set_aside_loudly_and_nothing_waits_behind_it(
    file: Path, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    record = record_in(State.ACCEPTED, journal)
    with pytest.raises(JournalUnusable):
        journal.transition(record, State.FAILED, reason="half a letter: \ud800")
    journal.transition(record, State.SUCCEEDED)
    file.parent.mkdir(exist_ok=True)
    (file.parent / "accepted-x.json").write_text(json.dumps({**KEPT, "estimate": 10**30}))
    assert [each.state for each in journal.of_request(KEY)] == [State.SUCCEEDED]
    assert not journal.pending
    assert [each.name for each in file.parent.glob("*accepted-*")] == ["refused-accepted-x.json"]
    for words in (f"job '{record.uid}', request id '{record.request_id}'", "request id 'job-9'"):
        assert words in caplog.text


@on_both
def test_a_newer_version_is_seen_also_by_a_process_that_has_the_tables_open(
    tmp_path: Path, database: Callable[[], str]
) -> None:
    url = database()
    journals = [Journal(tmp_path / "jobs.sqlite3", TurningClock(), url) for _ in range(2)]
    intend(journals[0])
    execute(journals[0], "UPDATE journal_version SET number = 99" if url else "PRAGMA user_version = 99")
    for journal in journals:
        with pytest.raises(JournalUnusable, match=r"newer version.* Nothing was charged\. Update this pack\."):
            journal.records()
        journal.close()


@on_both
def test_an_id_of_another_job_is_not_believed(journal: Journal) -> None:
    first = record_in(State.ACCEPTED, journal)
    second = journal.accept(intend(journal, replace(KEY, request="another")), first.request_id)
    assert (second.state, second.request_id) == (State.UNKNOWN, "")
    assert first.request_id in second.reason
    assert journal.job(first.request_id) == first


@on_both
def test_durations_are_those_of_the_same_kind_newest_first(journal: Journal) -> None:
    rows = [(BOAT, 10.0), (BOAT, 20.0), (BOAT, None)]
    rows += [(replace(BOAT, duration=12), 99.0), (replace(BOAT, resolution="1080p"), 99.0)]
    for number, (request, seconds) in enumerate(rows):
        record = intend(journal, RequestKey(str(number), "account", ""), request=request)
        journal.transition(journal.accept(record, f"job-{number}"), State.SUCCEEDED, seconds=seconds)
    assert journal.durations(replace(BOAT, text="another", ratio="1:1")) == [20.0, 10.0]


@on_both
def test_a_row_of_other_rules_hides_no_other_row(journal: Journal) -> None:
    odd, good = record_in(State.SAVED, journal), record_in(State.SAVED, journal)
    execute(journal, f"""UPDATE paid_jobs SET request = '{{"text": "x", "duration": 99}}' WHERE id = {odd.id}""")
    assert journal.of_request(KEY) == [good, replace(odd, request=None)]


@on_posix
def test_a_journal_that_was_deleted_is_refused_once_to_a_user_and_then_begun_anew(file: Path, journal: Journal) -> None:
    claims = Claims(journal)
    record = record_in(State.ACCEPTED, journal)
    file.unlink()
    # What runs beside the user's work does not use the refusal up.
    beside = (
        partial(claims.holds, record, "owner"),
        partial(journal.create, Order(BOAT, KEY, "a run"), [record], "owner"),
    )
    read, give_back = partial(journal.of_request, KEY), partial(claims.give_back, "owner")
    acts: tuple[Callable[[], object], ...] = (*beside, *beside, read, give_back)
    for act in acts:
        with pytest.raises(JournalUnusable, match="deleted or moved away"):
            act()
    assert not file.exists(), "the user may still put it back"
    assert journal.of_request(KEY) == []
