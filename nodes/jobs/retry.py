"""When to try again what has failed: pauses of one job, and what a 429 means for all jobs of an account."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, ParamSpec, TypeVar

from ..runcomfy.errors import RateLimited
from .clock import Clock

P = ParamSpec("P")
T = TypeVar("T")

MAX_RETRY_AFTER: Final = 300.0
"""Seconds; a service that asks for a longer pause is asked again after so many."""


@dataclass
class Backoff:
    """Pauses after failures: doubling, with jitter, never shorter than the service asked for."""

    random: Random = field(default_factory=Random)
    longest: float = 30.0
    """Seconds, where the service asks for none."""
    failures: int = 0

    def pause(self, at_least: float | None = None) -> float:
        """Seconds to wait after one more failure."""
        self.failures += 1
        doubled = min(self.longest, math.ldexp(0.5, min(self.failures, 10)))
        return max(doubled * self.random.uniform(0.5, 1), min(at_least or 0.0, MAX_RETRY_AFTER))

    def reset(self) -> None:
        """A success: the next failure is a first one again."""
        self.failures = 0


class RateLimiter:
    """Lets calls through until the service limits one, and then none before the time that it asked for is over.

    So a limited service sees no more calls at once than there are threads, however many jobs wait. May be used from
    any thread.
    """

    def __init__(self, clock: Clock, backoff: Backoff) -> None:
        self._clock = clock
        self._backoff = backoff
        self._opens = 0.0
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises `RateLimited` where a call would be of no use by now; it names the seconds to wait."""
        if (left := self._opens - self._clock.monotonic()) > 0:
            raise RateLimited(left)

    def call(self, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Make a call, unless it is of no use by now.

        Raises:
            RateLimited: by this call or by one before, in which case it was not made; names the seconds to wait.
        """
        self.check()
        try:
            result = call(*args, **options)
        except RateLimited as error:
            raise RateLimited(self._close(error.retry_after), error.subject) from None
        self._backoff.reset()
        return result

    def _close(self, asked: float | None) -> float:
        """Let nothing through for a while; returns the seconds."""
        with self._lock:
            now = self._clock.monotonic()
            # Calls that were under way together are limited together; that is one failure.
            at_once = self._opens > now
            pause = min(asked or 0.0, MAX_RETRY_AFTER) if at_once else self._backoff.pause(asked)
            self._opens = max(self._opens, now + pause)
            return self._opens - now
