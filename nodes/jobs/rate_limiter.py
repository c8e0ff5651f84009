"""The service's "not so often" (429), said to one job and heeded by all jobs of the account."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..runcomfy.errors import RateLimited
from .clock import Clock
from .retry import LONGEST_ASKED, Backoff

P = ParamSpec("P")
T = TypeVar("T")


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

    def call(self, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Make a call, unless it is of no use by now.

        Raises:
            RateLimited: by this call or by one before, in which case it was not made; names the seconds to wait.
        """
        if (left := self._left()) > 0:
            raise RateLimited(left)
        try:
            result = call(*args, **options)
        except RateLimited as error:
            raise RateLimited(self._close(error.retry_after), error.subject) from None
        self._backoff.reset()
        return result

    def _close(self, asked: float | None) -> float:
        with self._lock:
            # Calls that were under way together are limited together; that is one failure.
            at_once = self._left() > 0
            pause = min(asked or 0.0, LONGEST_ASKED) if at_once else self._backoff.pause(asked)
            self._opens = max(self._opens, self._clock.monotonic() + pause)
            return self._left()

    def _left(self) -> float:
        return self._opens - self._clock.monotonic()
