"""What this pack's nodes have in common: their schemas, the prompt of the one that runs, and what they share for as
long as the server runs."""

from __future__ import annotations

import asyncio
import atexit
import dataclasses
import hashlib
import os
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import folder_paths
from aiohttp import web
from comfy.cli_args import args
from comfy.model_management import processing_interrupted
from comfy_api.latest import io
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context
from server import PromptServer

from ..jobs.events import Phase
from ..texts import NODES, SETTINGS, as_json
from .guarded_route import add_route
from .progress import BatchProgress, Lines, english
from .stop import StopWatcher

if TYPE_CHECKING:
    from ..engine import Engine

SeedanceOptionsSocket: Final = io.Custom("SEEDANCE_OPTIONS")


def schema(node_id: str, *, search_aliases: list[str], inputs: list[io.Input], outputs: list[io.Output]) -> io.Schema:
    """A node's schema with its texts, and with its search aliases if this ComfyUI has those (from 0.11 on)."""
    texts = NODES[node_id]
    for each in inputs:
        each.tooltip = texts["inputs"][each.id]["tooltip"]
    for number, each in enumerate(outputs):
        text = texts["outputs"][str(number)]
        each.display_name, each.tooltip = text["name"], text["tooltip"]
    fields = {"display_name": texts["display_name"], "description": texts["description"]}
    if "search_aliases" in {field.name for field in dataclasses.fields(io.Schema)}:
        fields["search_aliases"] = search_aliases
    return io.Schema(node_id, category="Seedance", inputs=inputs, outputs=outputs, **fields)


def video_outputs() -> list[io.Output]:
    """Of both nodes that bring a video: images, video, fps, frame_count, request_id and video_path."""
    # Without ids, since `video` is an input of one of them too.
    kinds = (io.Image, io.Video, io.Float, io.Int, io.String, io.String)
    return [kind.Output() for kind in kinds]


FRAME_OUTPUTS: Final = (0, 3)
"""Places of images and frame_count among these."""


@dataclass(frozen=True)
class RunningNode:
    """The node that runs, in the prompt that runs. Its methods may be called from any thread."""

    prompt_id: str
    node_id: str
    item: int
    """The place of what it works at in its list of inputs, from 0."""

    @property
    def run_key(self) -> str:
        """Equal for this item of this node of this prompt alone."""
        return hashlib.sha256(f"{self.prompt_id}\0{self.node_id}\0{self.item}".encode()).hexdigest()

    @property
    def is_in_prompt(self) -> bool:
        """Whether the node is in the prompt as it was queued; else another node has added it while it ran."""
        return self.node_id in self._graph()

    @property
    def is_images_connected(self) -> bool:
        """Whether anything in the prompt uses this node's frames, or their number; true if that cannot be known.

        They are read only then: a long list of shots that are just saved needs no memory for them.
        """
        graph = self._graph()
        links = [value for node in graph.values() for value in node["inputs"].values()]
        return self.node_id not in graph or any([self.node_id, output] in links for output in FRAME_OUTPUTS)

    @property
    def saved_metadata(self) -> dict[str, object]:
        """The prompt and the workflow, by ComfyUI's names for them in files; nothing where it is to write none."""
        if args.disable_metadata or not (entry := self._queue_entry()):
            return {}
        extra = entry[3].get("extra_pnginfo")
        return {**(extra if isinstance(extra, dict) else {}), "prompt": entry[2]}

    def show(self, lines: Lines, phase: Phase | None) -> None:
        """Show lines of text on the node: as keys for the browser, which words them in its user's language, and in
        English for other web UIs."""
        self._send("seedance.event", lines, phase=phase and phase.value)
        # Older web UIs take it for HTML, and all of them [[text|address]] for a link; prompts and services write it.
        plain = re.sub(r"\[(?=\[)", "[ ", english(lines).replace("<", "‹"))
        PromptServer.instance.send_progress_text(plain, self.node_id, PromptServer.instance.client_id)

    def set_progress(self, value: int, total: int) -> None:
        # Not comfy.utils.ProgressBar: it raises, and clears, a pending interruption from whatever calls it.
        get_progress_state().update_progress(self.node_id, value, total, None)

    def send_left_out(self, reason: tuple[str, ...], *, urgent: bool) -> None:
        """Tell the browser that queued the prompt that this item failed, while the others go on."""
        self._send("seedance.left_out", (reason,), item=self.item, urgent=urgent)

    def _send(self, event: str, lines: Lines, **facts: object) -> None:
        """Send the browser ``{"prompt_id", "node", "lines", "settings", **facts}``.

        `lines` is a list of lines, each a list of texts as `as_json` gives them: the browser puts a space between texts
        and begins a new line after each line. `settings` says whether they lead to this pack's page of Settings.
        """
        said = {"prompt_id": self.prompt_id, "node": self.node_id, **facts}
        said["lines"] = [[as_json(text) for text in line] for line in lines]
        said["settings"] = SETTINGS in english(lines)
        PromptServer.instance.send_sync(event, said, PromptServer.instance.client_id)

    def _graph(self) -> dict[str, dict[str, Any]]:
        """The nodes of the prompt as it was queued, by their ids; none where it is not running."""
        entry = self._queue_entry()
        return entry[2] if entry else {}

    def _queue_entry(self) -> Any:
        """What ComfyUI's queue holds of the prompt: number, id, graph, extra data and more; None if it does not run."""
        running, _ = PromptServer.instance.prompt_queue.get_current_queue_volatile()
        return next((entry for entry in running if entry[1] == self.prompt_id), None)


def running_node() -> RunningNode:
    """The node that calls this; one without a prompt if something else than ComfyUI's queue does."""
    if context := get_executing_context():
        return RunningNode(context.prompt_id, context.node_id, context.list_index or 0)
    return RunningNode("", "", 0)


def queued_prompts() -> frozenset[str]:
    """The ids of the prompts that are running or waiting."""
    running, waiting = PromptServer.instance.prompt_queue.get_current_queue_volatile()
    return frozenset(entry[1] for entry in (*running, *waiting))


class Shared:
    """The engine, the watcher of Stop, and the progress of the nodes. May be used from any thread."""

    def __init__(self) -> None:
        self.stops = StopWatcher(PromptServer.instance.loop, processing_interrupted)
        self.skipped: Counter[str] = Counter()
        """How many items each node has left out, by its id."""
        self.upscaling = asyncio.Lock()
        """Held by the one item of the prompt that is being upscaled. Each prompt has an event loop of its own."""
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

                server = f"comfyui {getattr(PromptServer.instance, 'port', '')}"
                output, user = folder_paths.get_output_directory(), folder_paths.get_user_directory()
                folders = Folders.inside(Path(output), Path(user))
                self._engine = Engine(folders, os.environ, server, queued_prompts)
                atexit.register(self._engine.close)  # ComfyUI does not say when its server ends
            return self._engine

    def batch(self, node: RunningNode) -> BatchProgress:
        """What the items of a node's list share, as long as its prompt runs."""
        with self._lock:
            if node.prompt_id != self._prompt_id:
                self._prompt_id, self._batches, self.upscaling = node.prompt_id, {}, asyncio.Lock()
            return self._batches.setdefault(node.node_id, BatchProgress(node.show, node.set_progress))


SHARED: Final = web.AppKey("seedance", Shared)


def shared() -> Shared:
    """The one that the server holds, so that no module has a state."""
    found: Shared = PromptServer.instance.app[SHARED]
    return found


def register(clean_prompt: Callable[[Any], Any]) -> None:
    """Add the pack to ComfyUI's server, once, while it loads its packs: what it shares, its hooks and its routes.

    ``clean_prompt`` is given what somebody queues, and returns what is to be queued.
    """
    server = PromptServer.instance
    state = server.app[SHARED] = Shared()
    # Too late for this if the pack is imported again while the server runs; Stop is then seen a moment later.
    if not server.app.frozen:
        server.app.middlewares.append(state.stops.look_after_post)
    server.add_on_prompt_handler(clean_prompt)
    add_route(server.routes, lambda: state.engine)
