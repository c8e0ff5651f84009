"""A laptop that sleeps while a job is waited for: on Windows, the clock by which the wait is measured goes on."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

import pytest

from nodes.jobs.journal import Journal
from nodes.runcomfy.errors import ConnectError
from tests.support.fake_runcomfy import BOAT, FakeMachine, TurningClock

HOURS = 2 * 3600.0


class Laptop(TurningClock):
    """Is closed for hours in the middle of a pause, once ``closes`` says so."""

    closes = False

    async def sleep(self, seconds: float) -> None:
        if self.closes:
            self.closes = False
            self.now += HOURS
        self.now += seconds
        await asyncio.sleep(0)


@pytest.mark.parametrize("when", ["in a pause", "in a call"])
def test_the_deadline_goes_on_where_it_was(tmp_path: Path, when: str) -> None:
    clock, calls = Laptop(), itertools.count(1)
    machine = FakeMachine(tmp_path, clock)
    machine.service.queued = HOURS + 600.0

    def close() -> None:
        if next(calls) == 3:
            # The network is not back at once.
            machine.service.script["status"].append(ConnectError("no connection"))
            clock.closes = when == "in a pause"
            clock.now += HOURS * (when == "in a call")

    machine.service.before["status"] = close
    assert machine.run().request_id == "job-1"
    assert clock.now > 1000 + HOURS + 600
    assert next(calls) > 11
    assert machine.journal.durations(BOAT) == [], "nobody knows when it ended"
    machine.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")
def test_a_job_whose_journal_was_replaced_meanwhile_is_not_bought_again(tmp_path: Path) -> None:
    """By a copy from elsewhere, say: that it does not know the job does not mean that another run has it."""
    clock = Laptop()
    machine = FakeMachine(tmp_path, clock)
    machine.service.queued = HOURS + 600.0
    other = Journal(tmp_path / "other.sqlite3", clock)
    other.records()
    other.close()

    def replace_and_close() -> None:
        machine.service.before.clear()
        (tmp_path / "other.sqlite3").replace(tmp_path / "private" / "jobs.sqlite3")
        clock.closes = True

    machine.service.before["status"] = replace_and_close
    try:
        assert machine.run().request_id == "job-1"
        assert machine.service.count("submit") == 1
        assert machine.states() == ["saved"]
    finally:
        machine.close()
