"""A run's turn at a request, for which it waits while another run, here or in another process, has it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Final

from .cancellation import Cancellation, StopRequested
from .events import Notice
from .services import Services

INTERVAL: Final = 0.5
"""Seconds between two looks at a lease that another run has."""


class RequestLock:
    """One run's lease on one request, whichever account it is for: a job of a replaced token may be taken over."""

    def __init__(self, services: Services, cancellation: Cancellation) -> None:
        self._services = services
        self._cancellation = cancellation
        self._request: str | None = None

    async def acquire(self, fingerprint: str) -> bool:
        """Wait for it; whether another run had it before. Raises `StopRequested` or `JournalUnusable`."""
        request = fingerprint.partition(".")[0]
        waited = False
        while not await self._taken(request):
            waited = True
            self._cancellation.report(Notice("The same video is being generated already; waiting for it"))
            await self._cancellation.sleep(INTERVAL)
        self._request = request
        return waited

    def release(self) -> None:
        """Let the next run have it, if it was taken."""
        if self._request is not None:
            self._services.executors.record(self._services.claims.release, self._request)

    async def _taken(self, request: str) -> bool:
        taking = self._services.executors.record(self._services.claims.acquire, request)

        def give_back(done: Future[bool]) -> None:
            """What was taken after the run that wanted it was cut off."""
            if not done.cancelled() and not done.exception() and done.result():
                self._services.claims.release(request)

        try:
            return await self._cancellation.wait_for(taking)
        except (StopRequested, asyncio.CancelledError):
            taking.add_done_callback(give_back)
            raise
