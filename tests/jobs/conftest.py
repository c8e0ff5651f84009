"""A fresh world for each test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nodes.jobs.journal import Journal
from tests.support.fake_runcomfy import TurningClock
from tests.support.machine import FakeMachine, NewMachine, go_by


@pytest.fixture
def new_machine(tmp_path: Path, database: Callable[[], str]) -> Iterator[NewMachine]:
    """Makes a machine for each row of a table."""
    machines: list[FakeMachine] = []

    def make() -> FakeMachine:
        machines.append(FakeMachine(tmp_path / f"machine {len(machines)}", journal_url=database()))
        return machines[-1]

    yield make
    for machine in machines:
        machine.close()


@pytest.fixture
def machine(new_machine: NewMachine) -> FakeMachine:
    return new_machine()


@pytest.fixture
def go_on(machine: FakeMachine) -> Iterator[threading.Event]:
    """What hangs in a test waits for this; set in the end, so that the machine comes to rest."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def clock() -> TurningClock:
    return TurningClock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Of the journal, in a folder of the user's choice: none of these letters may mean anything."""
    return tmp_path / "50% of #1? it's {mine}" / "jobs.sqlite3"


@pytest.fixture
def journal(file: Path, clock: TurningClock, database: Callable[[], str]) -> Iterator[Journal]:
    journal = Journal(file, clock, database())
    go_by(clock, journal)
    yield journal
    journal.close()
