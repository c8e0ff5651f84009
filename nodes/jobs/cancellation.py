"""The user's side of one run: what they are shown, and their Stop button."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, TypeVar

from ..errors import StopRequested
from .clock import Clock
from .events import Event

T = TypeVar("T")

TICK: Final = 0.1
"""Seconds between two looks at the Stop button."""
JUMP: Final = 60.0
"""Seconds between two looks from which on the machine slept meanwhile, as Windows' clock counts it, or was too busy."""


class Cancellation:
    """Waits on the event loop, with an eye on the Stop button."""

    def __init__(self, clock: Clock, report: Callable[[Event], None], is_stopped: Callable[[], bool]) -> None:
        self._clock = clock
        self._report = report
        self.is_stopped = is_stopped
        self._line = ""
        self._left = False
        self._looked = clock.monotonic()
        self._slept = 0.0

    def is_cancelled(self) -> bool:
        """Whether nobody waits any more, be it for Stop, a failed sibling or Ctrl+C; for long work in threads."""
        return self._left or self.is_stopped() or not threading.main_thread().is_alive()

    def report(self, event: Event) -> None:
        """Tell the user, unless that is what they see already."""
        if str(event) != self._line:
            self._line = str(event)
            self._report(event)

    def awake(self) -> float:
        """Seconds that never jump, without those for which the machine slept while this waited."""
        return self._clock.monotonic() - self._slept

    async def sleep(self, seconds: float, line: Callable[[], Event] | None = None) -> None:
        """Wait, keeping ``line`` up to date. Raises `StopRequested`."""
        self._looked = self._clock.monotonic()
        ends = self._looked + seconds
        while True:
            self._check()
            if line:
                self.report(line())
            left = ends - self._clock.monotonic()
            if left <= 0:
                return
            await self._clock.sleep(min(left, TICK))

    async def finish(self, future: Future[T]) -> T:
        """What a worker returns or raises, whether Stop is pressed meanwhile or not."""
        return await asyncio.shield(asyncio.wrap_future(future))

    async def wait_for(self, future: Future[T]) -> T:
        """What a worker returns or raises. Raises `StopRequested` without waiting for the worker."""
        waiting = asyncio.wrap_future(future)
        self._looked = self._clock.monotonic()
        try:
            while not waiting.done():
                self._check()
                await asyncio.wait({waiting}, timeout=TICK)
            return waiting.result()
        except (StopRequested, asyncio.CancelledError):
            self._left = True
            raise
        finally:
            waiting.cancel()
            self._notice_sleep()

    def _notice_sleep(self) -> None:
        now = self._clock.monotonic()
        if now - self._looked > JUMP:
            self._slept += now - self._looked
        self._looked = now

    def _check(self) -> None:
        self._notice_sleep()
        if self.is_stopped():
            raise StopRequested


async def ended_within(future: Future[T], seconds: float) -> bool:
    """Wait a bounded time for a worker that must not be cut off, not even by a cancellation; whether it ended."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(_: Future[T]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)

    future.add_done_callback(tell)
    ends = loop.time() + seconds
    while not ended.is_set() and (left := ends - loop.time()) > 0:
        with suppress(asyncio.TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(ended.wait(), left)
    return future.done()
