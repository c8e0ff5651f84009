"""What cannot be written to the journal is written later, and an id of an accepted job is never lost."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import astuple
from pathlib import Path

import pytest

from nodes.jobs.budget import Purchase
from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from nodes.jobs.records import State
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import KEY, intend, read_only, record_in
from tests.support.postgres import on_both

KEPT = {"uid": "x", "request_id": "job-9", "run": "", "created": 1.0, "key": ["r", "a", "o"], "request": "{}"}


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
        (paid,) = (each for each in found if each.request_id == "paid")
        expected = State.SURPLUS if what.endswith("has bought") else State.ACCEPTED
        assert (paid.uid, paid.state, paid.request, paid.estimate) == (record.uid, expected, BOAT, 60_000), what
        assert journal.of_request(KEY) == found, what
        assert not list(file.parent.glob("accepted-*")), what
        journal.close()


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
    (file.parent / "accepted-x.json").write_text(json.dumps({**KEPT, "estimate": 10**30}))
    assert [each.state for each in journal.of_request(KEY)] == [State.SUCCEEDED]
    assert [each.name for each in file.parent.glob("*accepted-*")] == ["refused-accepted-x.json"]
    for words in (f"job '{record.uid}', request id '{record.request_id}'", "request id 'job-9'"):
        assert words in caplog.text
