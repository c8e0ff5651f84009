"""A journal that is deleted or replaced while it is open, which only Windows forbids."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.jobs.claims import Claims
from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from nodes.jobs.records import State
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import KEY, intend, record_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "private" / "jobs.sqlite3"


@pytest.fixture
def journal(file: Path) -> Iterator[Journal]:
    journal = Journal(file, TurningClock())
    yield journal
    journal.close()


def test_a_journal_that_was_deleted_is_refused_once_to_a_user_and_then_begun_anew(file: Path, journal: Journal) -> None:
    claims = Claims(journal)
    record = record_in(State.ACCEPTED, journal)
    file.unlink()
    for _ in range(2):
        # What runs beside the user's work does not use the refusal up.
        with pytest.raises(JournalUnusable, match="deleted or moved away"):
            claims.holds(record, "owner")
        with pytest.raises(JournalUnusable, match="deleted or moved away"):
            journal.create([record], KEY, "a run", BOAT, "owner")
    with pytest.raises(JournalUnusable, match="deleted or moved away"):
        journal.of_request(KEY)
    with pytest.raises(JournalUnusable, match="deleted or moved away"):
        claims.give_back("owner")
    assert not file.exists(), "the user may still put it back"
    assert journal.of_request(KEY) == []


def test_a_journal_that_was_replaced_is_opened_anew(tmp_path: Path, file: Path, journal: Journal) -> None:
    """By a backup, or by the folder of another machine: it is what everybody else reads from now on."""
    other = Journal(tmp_path / "other", TurningClock())
    intend(other, replace(KEY, request="another"))
    record_in(State.ACCEPTED, other)
    intend(journal)
    other.close()
    shutil.copy(tmp_path / "other", tmp_path / "copy")
    (tmp_path / "copy").replace(file)
    assert [found.state for found in journal.of_request(KEY)] == [State.ACCEPTED]
