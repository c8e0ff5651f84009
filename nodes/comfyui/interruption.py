"""ComfyUI's Stop, seen by every node that waits, however many do.

ComfyUI has one flag, and whoever acts on it first clears it: a sampler that runs in between would hide Stop from the
jobs that wait beside it. So it is only ever looked at here: from the server's event loop, which no node blocks, and at
once after every request to the server that may have set it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import comfy.model_management
from aiohttp import web
from server import PromptServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STOP_INTERVAL: Final = 0.02
"""Seconds between two looks at Stop; a sampler takes longer for a step."""


class StopWatcher:
    """Tells every run that goes on when Stop is pressed."""

    def __init__(self) -> None:
        self._runs: set[threading.Event] = set()

    @contextmanager
    def watching(self) -> Iterator[threading.Event]:
        """An event that is set once Stop is pressed while the block lasts, and stays so."""
        stop = threading.Event()
        self._runs.add(stop)
        if len(self._runs) == 1:
            asyncio.run_coroutine_threadsafe(self._watch(), PromptServer.instance.loop)
        try:
            yield stop
        finally:
            self._runs.discard(stop)

    def middleware(self) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        """Looks at Stop after every POST: by whatever route it is pressed, a node may clear it within a millisecond."""

        @web.middleware
        async def look_after_post(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            finally:
                if request.method == "POST":
                    self._look()

        return look_after_post

    async def _watch(self) -> None:
        while self._runs:
            self._look()
            await asyncio.sleep(STOP_INTERVAL)

    def _look(self) -> None:
        # Only peeks: clearing the flag would hide Stop from everybody else.
        if comfy.model_management.processing_interrupted():
            for stop in tuple(self._runs):
                stop.set()


def interruption() -> BaseException:
    """What to raise so that ComfyUI shows an interruption rather than an error."""
    stopped: BaseException = comfy.model_management.InterruptProcessingException()
    return stopped
