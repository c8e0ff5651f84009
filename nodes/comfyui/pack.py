"""What the nodes share for as long as the server runs. The server itself holds it, so that no module has a state."""

from __future__ import annotations

import os
import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from aiohttp import web
from server import PromptServer

from . import files
from .interruption import StopWatcher
from .progress import BatchProgress
from .prompt import RunningNode, running_node

if TYPE_CHECKING:
    from ..engine import Engine


class Pack:
    """The engine, the watch for Stop, and what the running nodes have come to. May be used from any thread."""

    def __init__(self) -> None:
        self.stops = StopWatcher()
        self.skipped: Counter[str] = Counter()
        """How many items of each node have come to nothing; by its id."""
        self._prompt_id = ""
        self._batches: dict[str, BatchProgress] = {}
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """Made at its first use, since its imports would slow ComfyUI's start down."""
        with self._lock:
            if self._engine is None:
                from ..engine import Engine, Folders

                folders = Folders(files.videos_folder(), files.private_folder())
                self._engine = Engine(folders, os.environ, f"comfyui {getattr(PromptServer.instance, 'port', '')}")
            return self._engine

    def batch(self, node: RunningNode) -> BatchProgress:
        """What the items of a node's list share, as long as its prompt runs."""
        with self._lock:
            if node.prompt_id != self._prompt_id:
                self._prompt_id, self._batches = node.prompt_id, {}
            return self._batches.setdefault(node.node_id, BatchProgress())

    async def close(self, _: web.Application) -> None:
        """End with the server."""
        if self._engine:
            self._engine.close()


PACK: Final = web.AppKey("seedance", Pack)


def pack() -> Pack:
    """The one that `routes.register` has handed to the server."""
    shared: Pack = PromptServer.instance.app[PACK]
    return shared


def skipped_count() -> int:
    """How many videos the node that this is called from has left out so far.

    Part of its fingerprint: else ComfyUI would keep what is missing in its cache, and the next run would not try again.
    """
    return pack().skipped[running_node().node_id]
