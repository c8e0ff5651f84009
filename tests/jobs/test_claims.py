"""One run at a time per request, and no lease outlives the process that had it."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from nodes.jobs.claims import OLD_AFTER, Claims
from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from tests.support.fake_runcomfy import BOAT

PATIENCE = 30.0
spawning = multiprocessing.get_context("spawn")


def claims(folder: Path) -> Claims:
    """What a process of its own would have."""
    return Claims(Journal(folder / "jobs.sqlite3"), folder / "owners")


def hold(folder: Path, told: Connection) -> None:
    """Child process: take a lease and keep it until killed."""
    ours = claims(folder)
    told.send(ours.acquire("f"))
    threading.Event().wait()


def write(folder: Path, number: int, ready: Connection) -> None:
    """Child process: write entries into a journal that may not exist yet."""
    ready.send(True)
    ready.recv()
    journal = Journal(folder / "jobs.sqlite3")
    for _ in range(5):
        journal.create(f"process {number}", BOAT, 1.0)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[BaseProcess]:
    """A living process that has the lease."""
    mine, theirs = spawning.Pipe()
    process = spawning.Process(target=hold, args=(tmp_path, theirs))
    process.start()
    assert mine.poll(PATIENCE)
    assert mine.recv() is True
    yield process
    process.kill()
    process.join()


def test_a_lease_is_taken_once_until_it_is_given_back(tmp_path: Path) -> None:
    ours = claims(tmp_path)
    assert ours.acquire("f")
    assert not ours.acquire("f")
    assert ours.acquire("another")
    ours.release("f")
    assert ours.acquire("f")


def test_a_living_process_keeps_its_lease(holder: BaseProcess, tmp_path: Path) -> None:
    ours = claims(tmp_path)
    assert not ours.acquire("f")
    ours.release("f")
    assert not ours.acquire("f"), "a lease was released by somebody who did not have it"


def test_a_killed_process_loses_its_lease(holder: BaseProcess, tmp_path: Path) -> None:
    ours = claims(tmp_path)
    assert not ours.acquire("f")
    holder.kill()
    holder.join(PATIENCE)
    assert ours.acquire("f")
    assert len(list((tmp_path / "owners").iterdir())) == 1, "the dead owner's file was left behind"


def test_of_many_first_runs_side_by_side_one_gets_the_lease_and_the_process_stays_alive(tmp_path: Path) -> None:
    for attempt in range(20):
        folder = tmp_path / str(attempt)
        ours, start = claims(folder), threading.Barrier(6)

        def acquire(ours: Claims = ours, start: threading.Barrier = start) -> bool:
            start.wait(PATIENCE)
            return ours.acquire("f")

        with ThreadPoolExecutor(6) as threads:
            taken = [future.result() for future in [threads.submit(acquire) for _ in range(6)]]
        assert taken.count(True) == 1
        assert not claims(folder).acquire("f"), "the process looks dead to others"


def test_a_lease_whose_row_cannot_be_deleted_does_not_block_its_own_process(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "jobs.sqlite3")
    ours = Claims(journal, tmp_path / "owners")
    assert ours.acquire("f")
    with journal.writing() as database:
        pass
    database.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalUnusable):
        ours.release("f")
    assert ours.acquire("f")


def test_lock_files_that_cannot_be_made_stop_the_run(tmp_path: Path) -> None:
    (tmp_path / "owners").write_text("a file where the folder should be")
    with pytest.raises(JournalUnusable, match="owners"):
        claims(tmp_path).acquire("f")


def test_a_journal_of_memory_needs_no_files() -> None:
    ours = Claims(Journal(None), None)
    assert ours.acquire("f")
    assert not ours.acquire("f")


def test_several_processes_begin_and_write_one_journal_at_once(tmp_path: Path) -> None:
    pipes, processes = [], []
    for number in range(4):
        mine, theirs = spawning.Pipe()
        processes.append(spawning.Process(target=write, args=(tmp_path, number, theirs)))
        processes[-1].start()
        pipes.append(mine)
    for pipe in pipes:
        assert pipe.poll(PATIENCE)
        assert pipe.recv()
    for pipe in pipes:
        pipe.send(True)
    for process in processes:
        process.join(PATIENCE)
        assert process.exitcode == 0
    rows = sqlite3.connect(tmp_path / "jobs.sqlite3").execute("SELECT fingerprint, count(*) FROM jobs GROUP BY 1")
    assert dict(rows.fetchall()) == {f"process {number}": 5 for number in range(4)}


def test_lock_files_of_the_dead_are_swept_away_once_they_are_old(tmp_path: Path, holder: BaseProcess) -> None:
    owners = tmp_path / "owners"
    (living,) = owners.glob("*.lock")
    dead, young = owners / "dead.lock", owners / "young.lock"
    for file in (dead, young):
        file.touch()
    for file in (living, dead):
        os.utime(file, (file.stat().st_mtime - OLD_AFTER - 60,) * 2)
    ours = claims(tmp_path)
    assert ours.acquire("g")
    left = set(owners.glob("*.lock"))
    assert dead not in left
    assert {living, young} < left
    assert len(left) == 3, "and our own"
    assert not ours.acquire("f"), "the living one still has its lease"
