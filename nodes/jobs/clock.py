"""Time, handed in so that tests can turn it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the generation knows about time."""

    def wall(self) -> float:
        """Seconds since the epoch; may jump. For people and for records only."""

    def monotonic(self) -> float:
        """Seconds that never jump, for measuring."""

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""


class SystemClock:
    """The real one."""

    def wall(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def clock_time(seconds: float) -> str:
    """A moment, in seconds since the epoch, as the user's own clock showed it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
