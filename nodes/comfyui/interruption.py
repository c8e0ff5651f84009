"""ComfyUI's Stop, seen by every node that waits, however many do.

ComfyUI has one flag, and whoever acts on it first clears it: a sampler that runs in between would hide Stop from the
jobs that wait beside it. So it is only ever looked at here: from the server's event loop, which no node blocks, and at
once after every request to the server that may have set it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import comfy.model_management
from aiohttp import web
from server import PromptServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STOP_INTERVAL: Final = 0.02
"""Seconds between two looks at Stop; a sampler takes longer for a step."""


class Stop:
    """ComfyUI's Stop during one run of a node. Once it was seen pressed it stays so; may be asked from any thread."""

    def __init__(self) -> None:
        self._seen = False

    def is_pressed(self) -> bool:
        """Whether Stop was pressed during the run."""
        self._seen = self._seen or comfy.model_management.processing_interrupted()
        return self._seen


class StopWatcher:
    """Looks at Stop for every run that goes on."""

    def __init__(self) -> None:
        self._stops: set[Stop] = set()

    @contextmanager
    def watching(self) -> Iterator[Stop]:
        """See Stop from now on until the block ends."""
        stop = Stop()
        self._stops.add(stop)
        if len(self._stops) == 1:
            asyncio.run_coroutine_threadsafe(self._watch(), PromptServer.instance.loop)
        try:
            yield stop
        finally:
            self._stops.discard(stop)

    async def _watch(self) -> None:
        while self._stops:
            self._look()
            await asyncio.sleep(STOP_INTERVAL)

    def _look(self) -> None:
        for stop in tuple(self._stops):
            stop.is_pressed()

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


def interruption() -> BaseException:
    """What to raise so that ComfyUI shows an interruption rather than an error."""
    stopped: BaseException = comfy.model_management.InterruptProcessingException()
    return stopped
