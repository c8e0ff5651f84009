"""The record of paid jobs: private, durable, and loud where it cannot be kept."""

from __future__ import annotations

import sqlite3
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.jobs import database as database_module
from nodes.jobs.database import MIGRATIONS
from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import JobRecord, Journal
from nodes.jobs.states import State
from nodes.runcomfy.request import GenerationRequest
from tests.support.fake_runcomfy import BOAT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "seedance" / "jobs.sqlite3"


def saved(
    journal: Journal, fingerprint: str = "f", *, request: GenerationRequest = BOAT, **fields: object
) -> JobRecord:
    """An entry that went the whole way."""
    entry = journal.create(fingerprint, request, 1.0)
    entry = journal.transition(replace(entry, request_id=f"job-{entry.id}"), State.ACCEPTED, 2.0)
    entry = journal.transition(replace(entry, **fields), State.SUCCEEDED, 3.0)  # type: ignore[arg-type]  # JobRecord's own fields
    return journal.transition(replace(entry, files=(f"job-{entry.id}.mp4",)), State.SAVED, 4.0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_can_read_it(file: Path) -> None:
    journal = Journal(file)
    saved(journal)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir() if path.suffix != ".lock"}
    assert modes == dict.fromkeys(("jobs.sqlite3", "jobs.sqlite3-wal", "jobs.sqlite3-shm"), 0o600)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_it_writes_ahead_and_waits_for_the_disk(file: Path) -> None:
    journal = Journal(file)
    with journal.writing() as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_an_entry_comes_back_as_it_was_written(file: Path) -> None:
    entry = saved(Journal(file), cost=0.03, seconds=41.5)
    assert Journal(file).saved("f") == entry
    assert Journal(file).job(entry.request_id) == entry
    assert (entry.request, entry.created, entry.cost, entry.files) == (BOAT, 1.0, 0.03, ("job-1.mp4",))


def test_an_empty_file_becomes_a_journal(file: Path) -> None:
    file.parent.mkdir()
    file.touch()
    saved(Journal(file))
    assert sqlite3.connect(file).execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_an_older_journal_is_brought_up_to_date(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = saved(Journal(file))
    later = (*MIGRATIONS, "ALTER TABLE jobs ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")
    monkeypatch.setattr(database_module, "MIGRATIONS", later)
    assert Journal(file).saved("f") == entry
    assert sqlite3.connect(file).execute("SELECT note FROM jobs").fetchone() == ("none",)


def test_a_broken_migration_changes_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = saved(Journal(file))
    with monkeypatch.context() as patch:
        patch.setattr(database_module, "MIGRATIONS", (*MIGRATIONS, "DROP TABLE leases; DROP TABLE nonsense"))
        with pytest.raises(JournalUnusable, match="nonsense"):
            Journal(file).records()
    assert Journal(file).saved("f") == entry
    assert sqlite3.connect(file).execute("SELECT count(*) FROM leases").fetchone() == (0,)


def newer(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


def damaged(file: Path) -> None:
    file.write_bytes(b"this was a database once" * 100)


def torn(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(newer, "newer version"), (damaged, "not a database"), (torn, "malformed"), (a_folder, "unable to open")],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_spoilt_journal_is_an_error_that_names_it(file: Path, spoil: Callable[[Path], None], reason: str) -> None:
    journal = Journal(file)
    saved(journal)
    journal.close()
    spoil(file)
    acts: tuple[Callable[[], object], ...] = (lambda: journal.create("f", BOAT, 1.0), lambda: journal.saved("f"))
    for act in acts:
        with pytest.raises(JournalUnusable, match=reason) as caught:
            act()
        assert str(file) in str(caught.value)
        assert "Nothing was submitted or charged." in str(caught.value)
        assert "Load Seedance Video" in str(caught.value)


def test_a_read_only_journal_can_be_read_but_takes_no_intent(file: Path) -> None:
    journal = Journal(file)
    entry = saved(journal)
    with journal.writing() as database:
        pass
    # What the mode of the file does for everybody but root.
    database.execute("PRAGMA query_only = ON")
    assert journal.saved("f") == entry
    with pytest.raises(JournalUnusable, match="readonly"):
        journal.create("f", BOAT, 1.0)
    # It is opened anew after that, for whoever has repaired it meanwhile.
    assert journal.create("f", BOAT, 1.0).state is State.INTENDED


def test_a_failure_within_a_transaction_leaves_nothing(file: Path) -> None:
    journal = Journal(file)

    class Interrupted(Exception):
        pass

    def break_off() -> None:
        with journal.writing() as database:
            database.execute("INSERT INTO leases VALUES ('f', 'me')")
            raise Interrupted

    with pytest.raises(Interrupted):
        break_off()
    with journal.writing() as database:
        assert database.execute("SELECT * FROM leases").fetchall() == []


def test_the_newest_unfinished_entry_counts(file: Path) -> None:
    journal = Journal(file)
    saved(journal)
    assert journal.unfinished("f") is None
    told = journal.create("f", BOAT, 1.0)
    told = journal.transition(told, State.UNKNOWN, 1.0)
    assert journal.unfinished("f") == told
    journal.transition(told, State.UNKNOWN_REPORTED, 1.0)
    assert journal.unfinished("f") is None
    new = journal.create("f", BOAT, 2.0)
    assert journal.unfinished("f") == new
    assert journal.unfinished("another") is None


def test_durations_are_those_of_the_same_kind_newest_first(file: Path) -> None:
    journal = Journal(file)
    for seconds in (10.0, 20.0):
        saved(journal, seconds=seconds)
    saved(journal, seconds=None)
    saved(journal, request=replace(BOAT, duration=12), seconds=99.0)
    saved(journal, request=replace(BOAT, resolution="1080p"), seconds=99.0)
    assert journal.durations(replace(BOAT, text="another", ratio="1:1")) == [20.0, 10.0]
    assert journal.durations(BOAT, limit=1) == [20.0]


def test_a_row_of_other_rules_hides_no_other_row(file: Path) -> None:
    journal = Journal(file)
    odd, good = saved(journal), saved(journal)
    with journal.writing() as database:
        database.execute("""UPDATE jobs SET request = '{"text": "x", "duration": 99}' WHERE id = ?""", (odd.id,))
    assert [entry.request for entry in journal.records()] == [good.request, None]
    assert journal.job(odd.request_id) == replace(odd, request=None)


def test_the_token_is_nowhere_in_it(file: Path) -> None:
    saved(Journal(file))
    columns = [row[1] for row in sqlite3.connect(file).execute("PRAGMA table_info(jobs)")]
    assert not {"token", "account"} & set(columns)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_journal_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    """One that was restored from a backup, say. Its -wal and -shm files follow it."""
    folder = tmp_path / "private"
    file = folder / "jobs.sqlite3"
    before = Journal(file)
    assert before.records() == []
    before.close()
    file.chmod(0o644)
    folder.chmod(0o755)
    journal = Journal(file)
    journal.create("print", BOAT, 1.0)
    assert [oct(each.stat().st_mode & 0o777) for each in folder.glob("jobs.sqlite3*") if each.suffix != ".lock"] == [
        "0o600"
    ] * 3
    assert folder.stat().st_mode & 0o777 == 0o700


def test_no_question_of_a_run_reads_the_whole_journal(file: Path) -> None:
    """Every job of a long list asks all of them, of a journal that grows for years."""
    journal = Journal(file)
    asked: list[str] = []
    with journal.writing() as database:
        database.set_trace_callback(asked.append)
    journal.newest("f.a")
    journal.saved("f.a")
    journal.unfinished("f.a")
    journal.of_other_token("f.a", finished=True)
    journal.job("job-1")
    journal.durations(BOAT)
    database.set_trace_callback(None)
    questions = [each for each in asked if each.startswith("SELECT")]
    assert len(questions) == 6
    for question in questions:
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {question}")]
        assert any("USING INDEX" in step for step in plan), (question, plan)
