"""The journal breaks at every step of a job, in every way, and the process lives on or dies: no id is lost, and nothing
is bought over what nobody has read.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import product
from pathlib import Path

import pytest

from nodes.jobs.database import Database
from nodes.jobs.errors import JobError
from nodes.jobs.journal import Journal
from tests.support.fake_runcomfy import TurningClock
from tests.support.machine import FakeMachine, ScriptedDownload

if sys.platform == "win32":
    pytest.skip("Windows keeps open files, and has no limit on what a process may write", allow_module_level=True)

import resource

Trouble = Callable[[Path], "Iterator[None]"]


def full(_: Path) -> Iterator[None]:
    """No byte more fits on the disk, be it of the journal, of what lies beside it, or of a video."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def locked(file: Path) -> Iterator[None]:
    """Another program keeps it."""
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as another:
        another.execute("BEGIN EXCLUSIVE")
        yield


def deleted(file: Path) -> Iterator[None]:
    file.unlink(missing_ok=True)
    yield


def moved_away(file: Path) -> Iterator[None]:
    """And put back afterwards."""
    kept = file.with_name("kept")
    file.rename(kept)
    yield
    kept.replace(file)


def replaced_by_a_copy(file: Path) -> Iterator[None]:
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    copy.replace(file)
    yield


def replaced_by_an_empty_one(file: Path) -> Iterator[None]:
    empty = file.with_name("empty")
    journal = Journal(empty, TurningClock())
    journal.records()
    journal.close()
    empty.replace(file)
    yield


TROUBLES = (full, locked, deleted, moved_away, replaced_by_a_copy, replaced_by_an_empty_one)
CALLS = {"within the call": "submit", "after acceptance": "status", "while polling": "result"}
STEPS = ("before the intent", *CALLS, "at saving")
ENDINGS = ("the process lives", "the process dies")


class SavedFirst(ScriptedDownload):
    """Has the video on disk before anything breaks."""

    def attempt(self, link: str, progress: Callable[[int, int | None], None], check_stop: Callable[[], None]) -> None:
        begin, self._machine.during_download = self._machine.during_download, None
        super().attempt(link, progress, check_stop)
        if begin:
            begin()


def prepare(machine: FakeMachine, step: str, begin: Callable[[], object]) -> None:
    """Have the trouble begin at a step."""
    if step == "before the intent":
        machine.change(check_before_submit=begin)
    elif step == "at saving":
        machine.during_download = begin
        machine.change(open_download=lambda target: SavedFirst(target, machine))
    else:
        machine.service.before[CALLS[step]] = begin


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(Database, "TRIES", 2)
    monkeypatch.setattr(Database, "PAUSE", 0.001)


def outcome(machine: FakeMachine) -> str:
    """Of one run: the job, or what is raised."""
    try:
        return machine.run().request_id
    except JobError as error:
        return type(error).__name__


def live(machine: FakeMachine, trouble: Trouble, step: str, ending: str) -> list[str]:
    """One request through the trouble and what follows, up to its video."""
    file = machine.folder / "private" / "jobs.sqlite3"
    assert machine.records() == []  # from now on it is open
    with ExitStack() as trouble_lasts:
        begun: list[bool] = []

        def begin() -> None:
            if not begun:
                begun.append(True)
                trouble_lasts.enter_context(contextmanager(trouble)(file))

        prepare(machine, step, begin)
        if step != "at saving" and (ending == "the process dies" or trouble is full):
            machine.change(deadline=6.0 if step == "while polling" else 2.0)  # it ends before there is a video
            machine.service.queued = 1e9 if step != "while polling" else 0.0
        outcomes = [outcome(machine)]
        assert begun, "the trouble did not strike"
    machine.service.before.clear()
    machine.service.queued = 0.0
    machine.during_download = None
    if ending == "the process dies":
        machine.restart()
    machine.change(deadline=1800.0, check_before_submit=lambda: None)
    while not outcomes[-1].startswith("job-") or len(outcomes) == 1:
        outcomes.append(outcome(machine))
        assert len(outcomes) < 6, outcomes
    return outcomes


def knows_nothing(trouble: Trouble, step: str, ending: str) -> bool:
    """Whether the journal is lost after the id was written to it, and then the process that has it in memory: to the
    next one, it looks like a fresh installation."""
    is_lost = trouble in (deleted, replaced_by_an_empty_one)
    return is_lost and step in ("after acceptance", "while polling") and ending == "the process dies"


def test_the_journal_breaks_at_every_step(tmp_path: Path) -> None:
    bought_over, cells = 0, list(product(TROUBLES, STEPS, ENDINGS))
    for trouble, step, ending in cells:
        name = f"{trouble.__name__}, {step}, {ending}"
        with closing(FakeMachine(tmp_path / name)) as machine:
            outcomes = live(machine, trouble, step, ending)
            accepted = set(machine.service.accepted)
            lost = accepted - {record.request_id for record in machine.records()}
            reported = outcomes.count("OutcomeUnknown")
            bought_over += reported
            assert reported <= 1, name
            if not knows_nothing(trouble, step, ending):
                assert len(accepted) <= 1 + reported, name
                assert len(lost) <= reported, name
    print(f"Journal broken in {len(cells)} ways: {bought_over} outcomes unknown and reported, nothing else bought over")
