"""ComfyUI's Stop, seen by every node that waits, however many do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

STOP_INTERVAL: Final = 0.02
"""Seconds between two looks at Stop; a sampler takes longer for a step."""


class StopWatcher:
    """ComfyUI has one flag for Stop, and whoever acts on it first clears it: a sampler could so hide Stop from jobs
    that wait beside it. So only this class looks at it, by ``is_pressed``, which must not clear it: from the server's
    event ``loop``, which no node blocks, and right after every request that may have set it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, is_pressed: Callable[[], bool]) -> None:
        self._loop = loop
        self._is_pressed = is_pressed
        self._stop_events: set[threading.Event] = set()
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self) -> Iterator[threading.Event]:
        """An event that is set once Stop is pressed while the block lasts, and stays so. In any thread."""
        stop = threading.Event()
        self._stop_events.add(stop)
        self._loop.call_soon_threadsafe(self._start_looking)
        try:
            yield stop
        finally:
            self._stop_events.discard(stop)

    @web.middleware
    async def look_after_post(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Look right after a request: whatever its route, a node may clear Stop within a millisecond."""
        try:
            return await handler(request)
        finally:
            if request.method == "POST":
                self._look()

    def _start_looking(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = self._loop.create_task(self._look_until_over())

    async def _look_until_over(self) -> None:
        while self._stop_events:
            self._look()
            await asyncio.sleep(STOP_INTERVAL)

    def _look(self) -> None:
        if self._is_pressed():
            for stop in tuple(self._stop_events):
                stop.set()
