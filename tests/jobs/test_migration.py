"""A journal of the first version: every job in it is found, and that version can do no harm to it any more."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import inspect

from nodes.jobs.budget import Purchase
from nodes.jobs.errors import JournalUnusable, OutcomeUnknown
from nodes.jobs.journal import Journal
from nodes.jobs.records import State, hash_of
from nodes.runcomfy.request import MODEL_ID
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import execute, intend, record_in
from tests.support.machine import NewMachine
from tests.support.postgres import on_both
from tests.support.tiny_mp4 import TINY_MP4

OLD_TABLES = (
    """
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        state TEXT NOT NULL,
        request TEXT NOT NULL,
        request_id TEXT,
        created REAL NOT NULL,
        changed REAL NOT NULL,
        seconds REAL,
        cost REAL,
        reason TEXT NOT NULL DEFAULT '',
        files TEXT NOT NULL DEFAULT '[]'
    );
    CREATE INDEX jobs_by_fingerprint ON jobs (fingerprint, id);
    CREATE INDEX jobs_by_request_id ON jobs (request_id);
    CREATE TABLE leases (fingerprint TEXT PRIMARY KEY, owner TEXT NOT NULL);
    """,
    "ALTER TABLE jobs ADD COLUMN price TEXT NOT NULL DEFAULT ''",
    """
    ALTER TABLE jobs ADD COLUMN resolution TEXT;
    ALTER TABLE jobs ADD COLUMN duration INTEGER;
    CREATE INDEX jobs_by_kind ON jobs (resolution, duration, id);
    """,
)
"""To the letter; version 1 had the first, version 2 two of them."""
FINGERPRINT = f"{hash_of(MODEL_ID, BOAT.canonical())}.{hash_of('account at https://runcomfy')[:16]}"
SENT = 1_690_000_000.0


def old_journal(folder: Path, version: int, *states: str) -> Path:
    """With a job of the boat in each state, the last one newest. Accepted ones are `job-1` and so on."""
    file = folder / "private" / "jobs.sqlite3"
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        for script in OLD_TABLES[:version]:
            database.executescript(script)
        for number, state in enumerate(states, 1):
            accepted = state not in ("intended", "refused", "unknown", "told")
            values = (FINGERPRINT, state, BOAT.canonical(), f"job-{number}" if accepted else None, SENT, SENT + 60)
            files = f'["job-{number}.mp4"]' if state == "saved" else "[]"
            database.execute(
                "INSERT INTO jobs (fingerprint, state, request, request_id, created, changed, files) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*values, files),
            )
        database.execute(f"PRAGMA user_version = {version}")
        database.commit()
    return file


FATES = {
    # The state that the first version left: whether the first run reports it, the job that is had in the end, bought.
    "intended": ("reported", "job-1", 1),
    "refused": ("", "job-1", 1),
    "unknown": ("reported", "job-1", 1),
    "told": ("reported", "job-1", 1),  # nobody knows by which server
    "accepted": ("", "job-1", 0),
    "failed": ("", "job-2", 1),
    "cancelled": ("", "job-2", 1),
    "succeeded": ("", "job-1", 0),
    "saved": ("", "job-1", 0),
    "saved, on disk": ("", "job-1", 0),
    "forgotten": ("", "job-2", 1),
}


def test_every_job_is_found_and_treated_as_what_it_is(new_machine: NewMachine) -> None:
    assert set(FATES) - {"saved, on disk"} == {state.value for state in State} - {"surplus"}
    for version in (1, 2, 3):
        for row, (reported, request_id, bought) in FATES.items():
            state, _, on_disk = row.partition(", ")
            name, machine = f"version {version}, {row}", new_machine()
            old_journal(machine.folder, version, state)
            if request_id == "job-2" or not bought:
                machine.service.accepted["job-1"] = 0
            if state == "forgotten":
                machine.service.forgotten.add("job-1")
            if state == "cancelled":
                machine.service.cancelled.add("job-1")
            if reported:
                with pytest.raises(OutcomeUnknown):
                    machine.run()
            if on_disk:
                (machine.folder / "videos").mkdir()
                (machine.folder / "videos" / "job-1.mp4").write_bytes(TINY_MP4)
            video = machine.run()
            assert (video.request_id, video.reused) == (request_id, bool(on_disk)), name
            assert machine.service.count("submit") == bought, name
            assert not on_disk or machine.service.calls == [], name


def test_two_unfinished_jobs_of_one_request_both_keep_their_ids(tmp_path: Path) -> None:
    """The first version could buy twice; the index of this one has room for one of them."""
    cases = {
        ("accepted", "succeeded"): "succeeded surplus",
        ("accepted", "unknown"): "unknown surplus",
        ("unknown", "accepted"): "accepted told",
        ("saved", "accepted", "accepted"): "accepted surplus saved",
    }
    for states, expected in cases.items():
        journal = Journal(old_journal(tmp_path / " ".join(states), 3, *states), TurningClock())
        records = journal.records()
        assert [record.state.value for record in records] == expected.split(), states
        accepted = [f"job-{number}" for number, state in enumerate(states, 1) if state != "unknown"]
        assert [record.request_id for record in records[::-1] if record.request_id] == accepted, states
        journal.close()


def test_copies_of_it_are_taken_over_once(tmp_path: Path, journal: Journal) -> None:
    """As `journal --import` says of all journals."""
    file = old_journal(tmp_path, 3, "saved", "accepted", "saved")
    copy = Path(shutil.copy(file, tmp_path / "copy.sqlite3"))
    assert journal.take_over(file) == (3, 0)
    assert journal.take_over(copy) == (0, 3)


def test_what_its_jobs_took_and_cost_is_known_of_the_next_ones(tmp_path: Path) -> None:
    """By it a budget refuses what is too dear. No version wrote the size and length of all jobs beside the request."""
    for version in (1, 2, 3):
        file = old_journal(tmp_path / f"{version}", version, "saved")
        with closing(sqlite3.connect(file)) as old:
            old.execute("UPDATE jobs SET seconds = 40, cost = 0.05")
            old.commit()
        with closing(Journal(file, TurningClock())) as journal:
            assert (journal.durations(BOAT), journal.costs(BOAT)) == ([40.0], [0.05]), version


def test_a_process_of_the_first_version_that_has_it_open_buys_nothing(tmp_path: Path) -> None:
    file = old_journal(tmp_path, 3, "saved")
    with closing(sqlite3.connect(file)) as old:
        old.execute("SELECT * FROM jobs").fetchall()
        journal = Journal(file, TurningClock())
        assert len(journal.records()) == 1
        with pytest.raises(sqlite3.OperationalError, match="no such table: jobs"):
            old.execute("INSERT INTO jobs (fingerprint, state, request, created, changed) VALUES ('f', 's', 'r', 1, 1)")
        # One that is started later refuses whatever is newer than its own version, which was 3.
        assert old.execute("PRAGMA user_version").fetchone()[0] > 3
        journal.close()


def test_it_is_refused_while_a_process_of_the_first_version_is_at_work(tmp_path: Path) -> None:
    file = old_journal(tmp_path, 3, "accepted")
    owners = file.parent / "owners"
    owners.mkdir()
    (owners / "dead.lock").touch()
    journal = Journal(file, TurningClock())
    with FileLock(str(owners / "living.lock")):
        for _ in range(2):
            with pytest.raises(JournalUnusable, match="older version of this pack is still running"):
                journal.records()
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT state FROM jobs").fetchall() == [("accepted",)], "something was changed"
    assert [record.request_id for record in journal.records()] == ["job-1"]
    journal.close()


@on_both
def test_tables_of_an_earlier_version_get_what_they_lack_and_a_process_of_it_buys_nothing_any_more(
    tmp_path: Path, database: Callable[[], str]
) -> None:
    """Version 4 knew no budget, so one that goes on must not spend beside it. In PostgreSQL, where the first ones had
    no number, one that is started now begins by making its table, with indexes of the names of then."""
    names = ("one_unfinished_job", "jobs_of_a_request", "jobs_of_an_id", "jobs_of_a_kind", "jobs_of_a_claim")
    for version, lacks in ((4, ("estimate", "recounted", "media_host")), (5, ())):
        url = database()
        with closing(Journal(tmp_path / f"{version}" / "jobs.sqlite3", TurningClock(), url)) as journal:
            record, whole = record_in(State.SAVED, journal, cost=0.03), indexes(journal)
            assert whole.issuperset(names)
            for statement in (
                "ALTER TABLE paid_jobs RENAME TO job_records",
                *(f"DROP INDEX {name}" for name in ("costs_of_a_time", "jobs_counted_anew", "jobs_of_a_claim")),
                "CREATE INDEX jobs_of_a_time ON job_records (created)",
                *(f"ALTER TABLE job_records DROP COLUMN {column}" for column in lacks),
                "DROP TABLE journal_version, waiting_runs" if url else f"PRAGMA user_version = {version}",
            ):
                execute(journal, statement)
            for _ in range(2):
                journal.close()
                assert journal.records() == [record], version
            intend(journal, run="a run", owner="me", purchase=Purchase(max_jobs=1))
            with pytest.raises(JournalUnusable, match="job_records"):
                execute(journal, "INSERT INTO job_records (uid) VALUES ('x')")
            assert indexes(journal) == whole, version


def indexes(journal: Journal) -> set[str | None]:
    return journal.database.transact(
        lambda connection: {each["name"] for each in inspect(connection).get_indexes("paid_jobs")}
    )
