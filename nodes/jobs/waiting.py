"""How a run waits: on the event loop, with an eye on the Stop button, for the pack's own few threads; and how long.

Only single, time-limited pieces of work run in threads. They are not asyncio's default ones: ComfyUI waits for those at
the end of a graph, and so Stop would wait for a slow connection.
"""

from __future__ import annotations

import asyncio
import math
import statistics
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final, ParamSpec, TypeVar

from ..errors import StopRequested
from ..runcomfy.errors import RateLimited
from ..runcomfy.request import GenerationRequest
from .clock import Clock
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
FIRST_POLL: Final = 1.0
"""Seconds after acceptance."""
SHORTEST_POLL: Final = 0.4
LONGEST_POLL: Final = 10.0
"""Seconds between two looks at a job, however soon it is due, and however far off its end is."""
ENOUGH_HISTORY: Final = 3
"""Known durations of jobs that it takes to go by them."""

_SECONDS_FOR_TEN: Final = {"480p": 50.0, "720p": 65.0, "1080p": 100.0}
"""Seconds from acceptance to the end, for ten seconds of video. Source: the typical times that RunComfy publishes."""


class Executors:
    """One plain executor per kind of work, so that what may hang delays nothing that is urgent. With 200 jobs the pack
    has 16 threads on two cores: all of these but `cancels`, one that renews claims, and two that convert frames. Stop
    adds those of `cancels`, each with one that asks the journal."""

    def __init__(self) -> None:
        self.calls = ThreadPoolExecutor(7, "seedance-call")
        """Short exchanges with the service."""
        self.cancels = ThreadPoolExecutor(10, "seedance-cancel")
        """What Stop waits for."""
        self.downloads = ThreadPoolExecutor(4, "seedance-download")
        self.journal = ThreadPoolExecutor(1, "seedance-journal")
        """The journal, and looks at the disk. One: the database takes one transaction at a time anyway."""
        self.decodes = ThreadPoolExecutor(1, "seedance-decode")
        """One at a time, since each may fill the memory."""

    def close(self) -> None:
        for executor in (self.calls, self.cancels, self.downloads, self.journal, self.decodes):
            executor.shutdown(wait=False, cancel_futures=True)


class Cancellation:
    """The user's side of one run: what they are shown, and their Stop button."""

    def __init__(self, clock: Clock, report: Callable[[Event], None], is_stopped: Callable[[], bool]) -> None:
        self._clock = clock
        self._report = report
        self.is_stopped = is_stopped
        self._line = ""
        self._left = False
        self._looked = clock.with_sleep()
        self.slept = 0.0
        """Seconds for which the machine has slept, or something has blocked the event loop."""

    def is_cancelled(self) -> bool:
        """Whether nobody waits any more, by Stop, another node's failure or Ctrl+C; for long work in threads."""
        return self._left or self.is_stopped() or not threading.main_thread().is_alive()

    def awake(self) -> float:
        """A clock in seconds that leaves out sleep of the machine; a long gap between two calls counts as sleep."""
        now = self._clock.with_sleep()
        gap, self._looked = now - self._looked, now
        if abs(gap) > LONG_GAP:
            self.slept += gap
        return now - self.slept

    def report(self, event: Event) -> None:
        """Tell the user, unless that is what they see already."""
        if str(event) != self._line:
            self._line = str(event)
            self._report(event)

    async def sleep(self, seconds: float, line: Callable[[], Event] | None = None) -> None:
        """Wait, keeping ``line`` up to date. Raises `StopRequested`."""
        ends = self._clock.monotonic() + seconds
        while True:
            self._check_stop()
            if line:
                self.report(line())
            left = ends - self._clock.monotonic()
            if left <= 0:
                return
            await self._clock.sleep(min(left, TICK))

    async def wait_for(self, future: Future[T]) -> T:
        """What a worker returns or raises. Raises `StopRequested` without waiting for the worker."""
        waiting = asyncio.wrap_future(future)
        try:
            while not waiting.done():
                self._check_stop()
                await asyncio.wait({waiting}, timeout=TICK)
            return waiting.result()
        except (StopRequested, asyncio.CancelledError):
            self._left = True
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

    def tell(_: Future[T]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)

    future.add_done_callback(tell)
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
        self._opens = 0.0
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises `RateLimited` while a call would be refused; it names the seconds to wait."""
        if (left := self._opens - self._clock.monotonic()) > 0:
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
                at_once = self._opens > now
                pause = min(asked or 0.0, MAX_RETRY_AFTER) if at_once else self._backoff.pause(asked)
                self._opens = max(self._opens, now + pause)
            raise RateLimited(self._opens - now, error.subject) from None
        self._backoff.reset()
        return result


@dataclass(frozen=True)
class PollSchedule:
    """When to look at a job again: seldom before it can be ready, often when it is due.

    For a given number of looks, the delay is least if their rate grows with the square root of how likely the job is to
    end just then. For jobs that take the expected time, give or take a quarter, a power of their age comes as near to
    that as `benchmarks/polling.py` can show.
    """

    expected: float
    """Seconds from acceptance to the end, median."""

    @classmethod
    def learnt(cls, request: GenerationRequest, history: Sequence[float]) -> PollSchedule:
        """From the durations of earlier jobs of the same size and length, else from the documented times."""
        if len(history) < ENOUGH_HISTORY:
            return cls(_SECONDS_FOR_TEN[request.resolution] * request.duration / 10)
        return cls(max(statistics.median(history), 0.1))

    def delay(self, elapsed: float) -> float:
        """Seconds to wait for the next look, ``elapsed`` seconds after acceptance."""
        if elapsed < FIRST_POLL:
            return FIRST_POLL
        early = self.expected / elapsed
        # Past the time that the user was told, every second counts more.
        pause = math.sqrt(elapsed) * (0.105 * early**2.3 if early > 1 else 0.05)
        # Never longer than the time gone by: the guess may be wrong, and the first looks show the queue.
        return max(SHORTEST_POLL, min(pause, elapsed, LONGEST_POLL))


ScheduleFor = Callable[[GenerationRequest, list[float]], PollSchedule]
"""From a request and the durations of earlier jobs like it."""
