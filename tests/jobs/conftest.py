"""A fresh world for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.fake_runcomfy import FakeMachine
from tests.support.postgres import Postgres


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes an empty journal in the database that a test is `on_both` for; without a URL it is in a file."""
    if getattr(request, "param", "SQLite") == "SQLite":
        return str
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database


@pytest.fixture
def new_machine(tmp_path: Path, database: Callable[[], str]) -> Iterator[Callable[[], FakeMachine]]:
    """Makes a machine for each row of a table."""
    machines: list[FakeMachine] = []

    def make() -> FakeMachine:
        machines.append(FakeMachine(tmp_path / f"machine {len(machines)}", journal_url=database()))
        return machines[-1]

    yield make
    for machine in machines:
        machine.close()


@pytest.fixture
def machine(new_machine: Callable[[], FakeMachine]) -> FakeMachine:
    return new_machine()
