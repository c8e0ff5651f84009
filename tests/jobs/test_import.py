"""An old journal is taken over into a new place, as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from nodes.jobs.records import JobRecord, State
from tests.support.fake_runcomfy import TurningClock
from tests.support.job_records import KEY, intend, record_in
from tests.support.postgres import on_both

TakeOver = Callable[[], tuple[int, int]]


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "old" / "jobs.sqlite3", TurningClock())
    yield journal
    journal.close()


@pytest.fixture
def take_over(tmp_path: Path, journal: Journal) -> TakeOver:
    """Has the old journal's jobs taken over into the other one."""
    return lambda: journal.take_over(tmp_path / "old" / "jobs.sqlite3")


def without_place(record: JobRecord) -> JobRecord:
    """What of a record is the same in every journal."""
    return replace(record, id=0, claim_owner="")


@on_both
def test_all_jobs_come_along_once(old: Journal, journal: Journal, take_over: TakeOver) -> None:
    before = record_in(State.SAVED, journal, replace(KEY, request="before"))
    for state in set(State) - {State.SURPLUS}:
        key, files = replace(KEY, request=state.value), (f"{state.value}.mp4",)
        record_in(state, old, key, cost=0.03, files=files, price="$0.02 per second")
    intend(old, replace(KEY, request="claimed"), owner="me")
    written = old.records()
    assert take_over() == (len(written), 0)
    assert [without_place(each) for each in journal.records()] == [without_place(each) for each in [*written, before]]
    accepted = next(each for each in journal.records() if each.state is State.ACCEPTED)
    moved = journal.transition(accepted, State.SUCCEEDED)
    assert take_over() == (0, len(written))
    assert journal.row(moved.id) == moved, "what has moved on stays so"
    assert len(journal.records()) == len(written) + 1


@on_both
def test_what_is_unfinished_here_and_there_keeps_its_id(old: Journal, journal: Journal, take_over: TakeOver) -> None:
    expected = {State.INTENDED: State.UNKNOWN_REPORTED, State.ACCEPTED: State.SURPLUS, State.SAVED: State.SAVED}
    for number, state in enumerate(expected):
        key = replace(KEY, request=state.value)
        record = record_in(state, old, key)
        if record.request_id:
            assert record.request_id == f"job-{record.id}"
        journal.accept(intend(journal, key), f"new-{number}")
    assert take_over() == (3, 0)
    for number, (state, becomes) in enumerate(expected.items()):
        imported, mine = journal.of_request(replace(KEY, request=state.value))
        assert (imported.state, mine.request_id) == (becomes, f"new-{number}"), state


@on_both
def test_an_id_that_the_old_journal_learns_late_comes_along(
    old: Journal, journal: Journal, take_over: TakeOver
) -> None:
    """Where a process goes on with the old one, or died with an id that it could not write there."""
    late = intend(old)
    assert take_over() == (1, 0)
    old.accept(late, "job-late")
    lost = intend(old, replace(KEY, request="lost"))
    old.pending.add(replace(lost, request_id="job-lost"), None, {})
    assert take_over() == (1, 1)
    found = {record.request_id: record.state for record in journal.records()}
    assert found == {"job-late": State.ACCEPTED, "job-lost": State.ACCEPTED}
    assert take_over() == (0, 2)


def test_a_long_journal_comes_in_pieces_and_goes_on_where_it_broke_off(
    old: Journal, journal: Journal, take_over: TakeOver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodes.jobs.journal.AT_ONCE", 2)
    for number in range(5):
        intend(old, replace(KEY, request=f"{number}"))
    transact, pieces = journal.database.transact, iter([True, False, True, True, True])

    def breaks(work: Callable[..., int]) -> int:
        if not next(pieces):
            raise JournalUnusable("the new one", "as the test wants it")
        return transact(work)

    monkeypatch.setattr(journal.database, "transact", breaks)
    with pytest.raises(JournalUnusable):
        take_over()
    assert take_over() == (3, 2)


def test_what_is_no_journal_is_refused(tmp_path: Path, journal: Journal) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"a picture " * 1000)
    with pytest.raises(JournalUnusable, match="not a database"):
        journal.take_over(tmp_path / "photo.jpg")
