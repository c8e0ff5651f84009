"""A run's turn at a request, for which it waits while another run, here or in another process, has it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Final

from .cancellation import StopSeen, Watch
from .events import Notice
from .services import Means

INTERVAL: Final = 0.5
"""Seconds between two looks at a lease that another run has."""


class Turn:
    """One run's lease on one request, whichever account it is for: a job of a replaced token may be taken over."""

    def __init__(self, means: Means, watch: Watch) -> None:
        self._means = means
        self._watch = watch
        self._request: str | None = None

    async def take(self, fingerprint: str) -> bool:
        """Wait for it; whether another run had it before. Raises `StopSeen` or `JournalUnusable`."""
        request = fingerprint.partition(".")[0]
        waited = False
        while not await self._taken(request):
            waited = True
            self._watch.show(Notice("The same video is being generated already; waiting for it"))
            await self._watch.pause(INTERVAL)
        self._request = request
        return waited

    def give_back(self) -> None:
        """Let the next run have it, if it was taken."""
        if self._request is not None:
            self._means.workers.record(self._means.leases.release, self._request)

    async def _taken(self, request: str) -> bool:
        taking = self._means.workers.record(self._means.leases.take, request)

        def give_back(done: Future[bool]) -> None:
            """What was taken after the run that wanted it was cut off."""
            if not done.cancelled() and not done.exception() and done.result():
                self._means.leases.release(request)

        try:
            return await self._watch.result(taking)
        except (StopSeen, asyncio.CancelledError):
            taking.add_done_callback(give_back)
            raise
