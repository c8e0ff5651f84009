"""The journal's file: private, durable, and loud where it cannot be used."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from nodes.jobs.claims import Claims
from nodes.jobs.database import Database
from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from nodes.jobs.records import Order, State
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import KEY, execute, intend, record_in

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes, and keeps open files")


@on_posix
def test_only_its_owner_can_read_it(file: Path, journal: Journal) -> None:
    """Not even one that was restored from a backup."""
    for number in range(2):
        intend(journal, replace(KEY, request=f"request {number}"))
        assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        journal.close()
        file.chmod(0o644)
        file.parent.chmod(0o755)


def test_what_is_committed_is_on_the_disk(journal: Journal) -> None:
    """A power cut after the submit call must find the intent. WAL would not work on a network drive."""
    for pragma, value in (("synchronous", 2), ("fullfsync", 1), ("journal_mode", "truncate")):
        assert execute(journal, f"PRAGMA {pragma}") == [(value,)]


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


@on_posix
def test_one_that_was_deleted_is_refused_once_to_a_user_and_then_begun_anew(file: Path, journal: Journal) -> None:
    claims, order = Claims(journal), Order(BOAT, KEY, "a run")
    record = record_in(State.ACCEPTED, journal)
    file.unlink()
    # What runs beside the user's work does not use the refusal up.
    beside = (partial(claims.holds, record, "owner"), partial(journal.create, order, [record], "owner"))
    read, release = partial(journal.of_request, KEY), partial(claims.release, "owner")
    acts: tuple[Callable[[], object], ...] = (*beside, *beside, read, release)
    for act in acts:
        with pytest.raises(JournalUnusable, match="deleted or moved away"):
            act()
    assert not file.exists(), "the user may still put it back"
    assert journal.of_request(KEY) == []
