"""What the nodes share for as long as the server runs. The server itself holds it, so that no module has a state."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import comfy.model_management
from aiohttp import web
from server import PromptServer

from .files import private_folder, videos_folder
from .progress import BatchProgress
from .prompt import RunningNode

if TYPE_CHECKING:
    from ..engine import Engine

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STOP_INTERVAL: Final = 0.02
"""Seconds between two looks at Stop; a sampler takes longer for a step."""


class Shared:
    """The engine, the watch for Stop, and what the running nodes have come to. May be used from any thread."""

    def __init__(self) -> None:
        self.stops = StopWatcher()
        self.skipped: Counter[str] = Counter()
        """How many items of each node have come to nothing; by its id."""
        self._prompt_id = ""
        self._batches: dict[str, BatchProgress] = {}
        self._upscales = "", asyncio.Lock()
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """Made at its first use, since its imports would slow ComfyUI's start down."""
        with self._lock:
            if self._engine is None:
                from ..engine import Engine, Folders

                server = f"comfyui {getattr(PromptServer.instance, 'port', '')}"
                self._engine = Engine(Folders(videos_folder(), private_folder()), os.environ, server)
            return self._engine

    def batch(self, node: RunningNode) -> BatchProgress:
        """What the items of a node's list share, as long as its prompt runs."""
        with self._lock:
            if node.prompt_id != self._prompt_id:
                self._prompt_id, self._batches = node.prompt_id, {}
            return self._batches.setdefault(node.node_id, BatchProgress(node))

    def upscales(self, prompt_id: str) -> asyncio.Lock:
        """Held by the one item of a prompt that is being upscaled. Each prompt has an event loop of its own."""
        if self._upscales[0] != prompt_id:
            self._upscales = prompt_id, asyncio.Lock()
        return self._upscales[1]

    async def close(self, _: web.Application) -> None:
        """End with the server."""
        if self._engine:
            self._engine.close()


class StopWatcher:
    """ComfyUI's Stop, seen by every node that waits, however many do.

    ComfyUI has one flag, and whoever acts on it first clears it: a sampler that runs in between would hide Stop from
    the jobs that wait beside it. So it is only ever looked at here: from the server's event loop, which no node blocks,
    and at once after every request to the server that may have set it.
    """

    def __init__(self) -> None:
        self._runs: set[threading.Event] = set()
        self._watch: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self) -> Iterator[threading.Event]:
        """An event that is set once Stop is pressed while the block lasts, and stays so."""
        stop = threading.Event()
        self._runs.add(stop)
        PromptServer.instance.loop.call_soon_threadsafe(self._begin)
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

    def _begin(self) -> None:
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look_until_over())

    async def _look_until_over(self) -> None:
        while self._runs:
            self._look()
            await asyncio.sleep(STOP_INTERVAL)

    def _look(self) -> None:
        # Only peeks: clearing the flag would hide Stop from everybody else.
        if comfy.model_management.processing_interrupted():
            for stop in tuple(self._runs):
                stop.set()


SHARED: Final = web.AppKey("seedance", Shared)


def shared() -> Shared:
    """The one that `routes.register` has handed to the server."""
    found: Shared = PromptServer.instance.app[SHARED]
    return found
