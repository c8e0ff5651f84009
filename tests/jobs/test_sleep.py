"""A laptop that sleeps while a job is waited for: on Windows, the clock by which the wait is measured goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nodes.runcomfy.errors import ConnectError
from tests.support.fake_runcomfy import FakeMachine, TurningClock

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
    clock = Laptop()
    machine = FakeMachine(tmp_path, clock)
    machine.service.queued = HOURS + 600.0
    calls: list[float] = []

    def close() -> None:
        calls.append(clock.now)
        if len(calls) == 3:
            # The network is not back at once.
            machine.service.script["status"].append(ConnectError("no connection"))
            if when == "in a pause":
                clock.closes = True
            else:
                clock.now += HOURS

    machine.service.before["status"] = close
    try:
        assert machine.run().request_id == "job-1"
        assert clock.now > 1000 + HOURS + 600
        assert len(calls) > 10
    finally:
        machine.close()
