"""Time, handed in so that tests can turn it."""

from __future__ import annotations

import asyncio
import math
import sys
import time


class Clock:
    """What jobs know about time, by the system."""

    def wall(self) -> float:
        """Seconds since the epoch; may jump. For people, for records and for what several processes compare."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump, for measuring."""
        return time.monotonic()

    def with_sleep(self) -> float:
        """Seconds that go on while the machine sleeps, for limits that others rely on."""
        if hasattr(time, "CLOCK_BOOTTIME"):  # Linux
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        # The monotonic clock goes on in Windows' sleep, but not in macOS', where only the wall clock does.
        return time.time() if sys.platform == "darwin" else time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        await asyncio.sleep(seconds)


def clock_time(seconds: float) -> str:
    """A moment, in seconds since the epoch, as the user's own clock showed it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def minute(seconds: float) -> str:
    """The first whole minute from a moment on, by the user's clock: `14:05`."""
    return time.strftime("%H:%M", time.localtime(math.ceil(seconds / 60) * 60))
