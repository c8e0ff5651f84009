"""ComfyUI's Stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

import comfy.model_management
from aiohttp import web
from server import PromptServer

STOP_INTERVAL: Final = 0.02
"""Seconds between two looks at Stop; a sampler takes longer for a step."""


class StopButton:
    """ComfyUI's Stop, for one run of a node. Once it was seen pressed it stays so; may be asked from any thread.

    ComfyUI has one flag, and whoever acts on it first clears it: a sampler that runs in between would hide Stop from
    the jobs that wait beside it. So it is watched from the server's event loop, which no node blocks.
    """

    _watched: ClassVar[set[StopButton]] = set()

    def __init__(self) -> None:
        self._seen = False

    def __enter__(self) -> StopButton:
        self._watched.add(self)
        if len(self._watched) == 1:
            asyncio.run_coroutine_threadsafe(self._watch_all(), PromptServer.instance.loop)
        return self

    def __exit__(self, *_: object) -> None:
        self._watched.discard(self)

    def pressed(self) -> bool:
        """Whether Stop was pressed during the run."""
        # Only peeks: clearing the flag would hide it from everybody else.
        if not self._seen and comfy.model_management.processing_interrupted():
            self._seen = True
        return self._seen

    @classmethod
    def poll(cls) -> None:
        """Let every run that goes on see whether Stop is pressed now."""
        for button in tuple(cls._watched):
            button.pressed()

    @classmethod
    async def _watch_all(cls) -> None:
        while cls._watched:
            cls.poll()
            await asyncio.sleep(STOP_INTERVAL)


def watch_stop() -> None:
    """Look at Stop as soon as ComfyUI is told: a node that asks often may take it away within a millisecond."""
    middlewares = PromptServer.instance.app.middlewares
    # A pack that is imported once more while the server runs comes too late; the watch sees Stop all the same.
    if not middlewares.frozen:
        middlewares.append(_see_stop)


@web.middleware
async def _see_stop(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    finally:
        if request.path.endswith("/interrupt"):
            StopButton.poll()


def interruption() -> BaseException:
    """What to raise so that ComfyUI shows an interruption rather than an error."""
    stopped: BaseException = comfy.model_management.InterruptProcessingException()
    return stopped
