"""How a run waits: on the event loop, with an eye on the Stop button, for the pack's own few threads; and how long.

Only single, time-limited pieces of work run in threads. They are not asyncio's default ones: ComfyUI waits for those at
the end of a graph, and so Stop would wait for a slow connection.
"""

from __future__ import annotations

import asyncio
import math
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final, ParamSpec, TypeVar

from ..errors import StopRequested
from ..runcomfy.errors import RateLimited
from .events import Event

P = ParamSpec("P")
T = TypeVar("T")

TICK: Final = 0.1
"""Seconds between two looks at the Stop button."""
LONG_GAP: Final = 30.0
"""Seconds between two looks after which the machine counts as having slept."""
LONGEST_PAUSE: Final = 30.0
"""Seconds after a failure, where the service asks for none."""
MAX_RETRY_AFTER: Final = 300.0
"""Seconds; a service that asks for a longer pause is asked again after so many."""


class Clock:
    """Time by the system; handed in, so that tests can turn it."""

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


class Executors:
    """One plain executor per kind of work, so that what may hang delays nothing that is urgent. With 200 jobs the pack
    has 16 threads on two cores: these but `cancels`, one that renews claims, two that decoding takes along. Of 200 that
    are stopped in the queue it has 19."""

    def __init__(self) -> None:
        self.calls = ThreadPoolExecutor(7, "seedance-call")
        """Short exchanges with the service."""
        self.cancels = ThreadPoolExecutor(10, "seedance-cancel")
        """What Stop waits for. Ten: what is not cancelled in ten seconds is charged, and a call may take 0.4 s."""
        self.downloads = ThreadPoolExecutor(4, "seedance-download")
        self.journal = ThreadPoolExecutor(1, "seedance-journal")
        """The journal, and looks at the disk. One: the database takes one transaction at a time anyway."""
        self.unanswered: Future[bool | None] | None = None
        """A look at the journal that took too long. Until it ends, Stop waits for no other: hundreds of jobs would be
        running, and paid for, when the last one is looked at."""
        self.decodes = ThreadPoolExecutor(1, "seedance-decode")
        """One at a time, since each may fill the memory."""

    def close(self) -> None:
        for executor in (self.calls, self.cancels, self.downloads, self.journal, self.decodes):
            executor.shutdown(wait=False, cancel_futures=True)


@dataclass
class Run:
    """One item of one node of one queued prompt, or one command in a terminal: what its user sees, their Stop button,
    and how it waits."""

    key: str
    """Equal when the same item of the same node of the same prompt is executed again, and never else."""
    prompt_id: str
    show: Callable[[Event], None]
    is_stopped: Callable[[], bool]
    """Whether Stop is pressed; looked at every tenth of a second."""
    is_read: bool = True
    """Whether somebody reads the error that it raises: not if failures are skipped."""
    trailer: Callable[[], bytes] = bytes
    """Returns, in a thread, what to append to the file of each video that this run fetches."""
    clock: Clock = field(default_factory=Clock)
    slept: float = field(default=0.0, init=False)
    """Seconds for which the machine has slept, or something has blocked the event loop."""

    def __post_init__(self) -> None:
        self._shown: object = None
        self._is_abandoned = False
        self._last_look = self.clock.with_sleep()

    def check(self) -> None:
        """Raise `StopRequested` if nobody waits any more, be it for Stop, a failed sibling or Ctrl+C; for long work in
        threads."""
        if self._is_abandoned or self.is_stopped() or not threading.main_thread().is_alive():
            raise StopRequested

    def awake(self) -> float:
        """A clock in seconds that leaves out sleep of the machine; a long gap between two calls counts as sleep."""
        now = self.clock.with_sleep()
        gap, self._last_look = now - self._last_look, now
        if abs(gap) > LONG_GAP:
            self.slept += gap
        return now - self.slept

    def report(self, event: Event) -> None:
        """Tell the user, unless that is what they see already."""
        if (event.texts, event.phase) != self._shown:
            self._shown = event.texts, event.phase
            self.show(event)

    async def sleep(self, seconds: float, line: Callable[[], Event] | None = None) -> None:
        """Wait, keeping ``line`` up to date. Raises `StopRequested`."""
        ends = self.clock.monotonic() + seconds
        while True:
            self._check_stop()
            if line:
                self.report(line())
            left = ends - self.clock.monotonic()
            if left <= 0:
                return
            await self.clock.sleep(min(left, TICK))

    async def wait_for(self, future: Future[T]) -> T:
        """What a worker returns or raises. Raises `StopRequested` without waiting for the worker."""
        waiting = asyncio.wrap_future(future)
        try:
            while not waiting.done():
                self._check_stop()
                await asyncio.wait({waiting}, timeout=TICK)
            return waiting.result()
        except (StopRequested, asyncio.CancelledError):
            self._is_abandoned = True
            raise
        finally:
            waiting.cancel()

    def _check_stop(self) -> None:
        self.awake()
        if self.is_stopped():
            raise StopRequested


async def ended_within(future: Future[T], seconds: float) -> bool:
    """Wait a bounded time for a worker that must not be cut off, not even by a cancellation; whether it ended."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def set_ended(_: Future[T]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)

    future.add_done_callback(set_ended)
    ends = loop.time() + seconds
    while not ended.is_set() and (left := ends - loop.time()) > 0:
        with suppress(asyncio.TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(ended.wait(), left)
    return future.done()


@dataclass
class Backoff:
    """Pauses after failures: doubling, with jitter, never shorter than the service asked for."""

    random: Random = field(default_factory=Random)
    failures: int = 0

    def pause(self, at_least: float | None = None) -> float:
        """Seconds to wait after one more failure."""
        self.failures += 1
        doubled = min(LONGEST_PAUSE, math.ldexp(0.5, min(self.failures, 10)))
        return max(doubled * self.random.uniform(0.5, 1), min(at_least or 0.0, MAX_RETRY_AFTER))

    def reset(self) -> None:
        self.failures = 0


class RateLimiter:
    """Lets calls through until the service limits one, and then none before the time that it asked for is over.

    A limited service sees no more calls at once than there are threads, however many jobs wait. For any thread.
    """

    def __init__(self, clock: Clock, backoff: Backoff) -> None:
        self._clock = clock
        self._backoff = backoff
        self._opens_at = 0.0
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises `RateLimited` while a call would be refused; it names the seconds to wait."""
        if (left := self._opens_at - self._clock.monotonic()) > 0:
            raise RateLimited(left)

    def call(self, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Make a call, unless it would be refused. Raises `RateLimited` for this call or an earlier one, as `check`."""
        self.check()
        try:
            result = call(*args, **options)
        except RateLimited as error:
            with self._lock:
                now, asked = self._clock.monotonic(), error.retry_after
                # Calls that were under way together are limited together; that is one failure.
                is_same_failure = self._opens_at > now
                pause = min(asked or 0.0, MAX_RETRY_AFTER) if is_same_failure else self._backoff.pause(asked)
                self._opens_at = max(self._opens_at, now + pause)
            raise RateLimited(self._opens_at - now, error.subject) from None
        self._backoff.reset()
        return result
