"""Time that can be held still, so that a test decides when jobs move on."""

from __future__ import annotations

import threading
from collections.abc import Callable


class HoldableClock:
    """Seconds of ``source`` without the spans for which it was held. Safe to use from several threads."""

    def __init__(self, source: Callable[[], float]) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._lost = 0.0
        self._held_at: float | None = None

    def __call__(self) -> float:
        """The time in seconds; only differences mean something."""
        with self._lock:
            return self._now()

    @property
    def held(self) -> bool:
        """Whether time stands still."""
        with self._lock:
            return self._held_at is not None

    def hold(self) -> None:
        """Stop the time. Nothing if it is stopped already."""
        with self._lock:
            if self._held_at is None:
                self._held_at = self._now()

    def release(self) -> None:
        """Go on from where it was held. Nothing if it runs."""
        with self._lock:
            if self._held_at is not None:
                self._lost = self._source() - self._held_at
                self._held_at = None

    def _now(self) -> float:
        return self._source() - self._lost if self._held_at is None else self._held_at
