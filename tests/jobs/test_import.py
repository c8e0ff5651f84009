"""An old journal is taken over into a new place, as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from nodes.jobs.records import State
from tests.support.fake_runcomfy import TurningClock
from tests.support.job_records import KEY, intend, record_in
from tests.support.postgres import on_both


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    return tmp_path / "old" / "jobs.sqlite3"


@pytest.fixture
def old(old_file: Path) -> Iterator[Journal]:
    with closing(Journal(old_file, TurningClock())) as journal:
        yield journal


@on_both
def test_all_jobs_come_along_once(old: Journal, old_file: Path, journal: Journal) -> None:
    before = record_in(State.SAVED, journal, replace(KEY, request="before"))
    for state in set(State) - {State.SURPLUS}:
        key, files = replace(KEY, request=state.value), (f"{state.value}.mp4",)
        record_in(state, old, key, cost=0.03, files=files, price="$0.02 per second")
    intend(old, replace(KEY, request="claimed"), owner="me")
    written = old.records()
    assert journal.take_over(old_file) == (len(written), 0)
    # An id in a journal is that journal's, and whoever was at work goes on by the old one.
    expected = [replace(each, id=0, claim_owner="") for each in (*written, before)]
    assert [replace(each, id=0) for each in journal.records()] == expected
    accepted = next(each for each in journal.records() if each.state is State.ACCEPTED)
    moved = journal.transition(accepted, State.SUCCEEDED)
    assert journal.take_over(old_file) == (0, len(written))
    assert journal.record(moved.id) == moved, "what has moved on stays so"
    assert len(journal.records()) == len(written) + 1


@on_both
def test_what_is_unfinished_here_and_there_keeps_its_id(old: Journal, old_file: Path, journal: Journal) -> None:
    expected = {State.INTENDED: State.UNKNOWN_REPORTED, State.ACCEPTED: State.SURPLUS, State.SAVED: State.SAVED}
    for number, state in enumerate(expected):
        key = replace(KEY, request=state.value)
        record_in(state, old, key)
        journal.accept(intend(journal, key), f"new-{number}")
    assert journal.take_over(old_file) == (3, 0)
    for number, (state, becomes) in enumerate(expected.items()):
        imported, mine = journal.of_request(replace(KEY, request=state.value))
        has_id = state is not State.INTENDED
        assert (imported.state, bool(imported.request_id), mine.request_id) == (becomes, has_id, f"new-{number}"), state


@on_both
def test_an_id_that_the_old_journal_learns_late_comes_along(old: Journal, old_file: Path, journal: Journal) -> None:
    """Where a process goes on with the old one, or died with an id that it could not write there."""
    late = intend(old)
    assert journal.take_over(old_file) == (1, 0)
    old.accept(late, "job-late")
    lost = intend(old, replace(KEY, request="lost"))
    old.pending.add(replace(lost, request_id="job-lost"), None, {})
    assert journal.take_over(old_file) == (1, 1)
    found = {record.request_id: record.state for record in journal.records()}
    assert found == {"job-late": State.ACCEPTED, "job-lost": State.ACCEPTED}
    assert journal.take_over(old_file) == (0, 2)


def test_a_long_journal_comes_in_pieces_and_goes_on_where_it_broke_off(
    old: Journal, old_file: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodes.jobs.journal.IMPORT_ROWS", 2)
    for number in range(5):
        intend(old, replace(KEY, request=f"{number}"))
    transact, pieces = journal.database.transact, iter([True, False, True, True, True])

    def breaks(work: Callable[..., int]) -> int:
        if not next(pieces):
            raise JournalUnusable("the new one", "as the test wants it")
        return transact(work)

    monkeypatch.setattr(journal.database, "transact", breaks)
    with pytest.raises(JournalUnusable):
        journal.take_over(old_file)
    assert journal.take_over(old_file) == (3, 2)


def test_what_is_no_journal_is_refused(tmp_path: Path, journal: Journal) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"a picture " * 1000)
    with pytest.raises(JournalUnusable, match="not a database"):
        journal.take_over(tmp_path / "photo.jpg")
