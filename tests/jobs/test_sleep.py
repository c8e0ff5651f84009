"""A laptop that sleeps while a job is waited for: on Windows, the clock by which the wait is measured goes on."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

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
