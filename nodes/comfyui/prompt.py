"""The prompts in ComfyUI's queue: the one that runs, its node that this is called from, and what is on its inputs."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context
from server import PromptServer

from ..jobs.events import Event

IMAGES: Final = 0
FRAME_COUNT: Final = 3
"""The places of two outputs of a node that brings a video."""
PAID_NODE: Final = "SeedanceTextToVideo"
CONVERTED: Final[dict[str, type]] = {"text": str, "reuse": bool}
"""The inputs of the node that spends money that ComfyUI converts, and what has to be on them."""

_log = logging.getLogger("seedance")


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
        """Whether the prompt takes the frames of this node, or their number; yes where that cannot be known.

        They are read only then: a long list of shots that are just saved needs no memory for them.
        """
        graph = self._graph()
        links = [value for node in graph.values() for value in node["inputs"].values()]
        return self.node_id not in graph or any([self.node_id, output] in links for output in (IMAGES, FRAME_COUNT))

    def set_text(self, text: str, event: Event | None = None) -> None:
        """Show a line of text on the node. The browser may word the event in another language instead."""
        if event and event.phase:
            values = {name: getattr(value, "name", value) for name, value in asdict(event).items()}
            said = {"node": self.node_id, "key": type(event).__name__, "values": values}
            PromptServer.instance.send_sync("seedance.event", said, PromptServer.instance.client_id)
        # Older web UIs take it for HTML, and all of them [[text|address]] for a link; prompts and services write it.
        plain = re.sub(r"\[(?=\[)", "[ ", text.replace("<", "‹"))
        PromptServer.instance.send_progress_text(plain, self.node_id, PromptServer.instance.client_id)

    def set_progress(self, value: int, total: int) -> None:
        """Show how much of what can be measured is done."""
        # Not comfy.utils.ProgressBar: it raises, and clears, a pending interruption from whatever calls it.
        get_progress_state().update_progress(self.node_id, value, total, None)

    def send_left_out(self, reason: str, *, urgent: bool) -> None:
        """Tell the browser that queued the prompt that this item came to nothing, while the others go on."""
        place = {"prompt_id": self.prompt_id, "node": self.node_id, "item": self.item}
        left_out = {**place, "reason": reason, "urgent": urgent}
        PromptServer.instance.send_sync("seedance.left_out", left_out, PromptServer.instance.client_id)

    def _graph(self) -> dict[str, dict[str, Any]]:
        """The nodes of the prompt as it was queued, by their ids; none where it is not running."""
        running, _ = PromptServer.instance.prompt_queue.get_current_queue_volatile()
        return next((entry[2] for entry in running if entry[1] == self.prompt_id), {})


def running_node() -> RunningNode:
    """The node that this is called from; one of no prompt where it is called by something else than ComfyUI's queue."""
    if context := get_executing_context():
        return RunningNode(context.prompt_id, context.node_id, context.list_index or 0)
    return RunningNode("", "", 0)


def queued_prompts() -> frozenset[str]:
    """The ids of the prompts that are running or waiting."""
    running, waiting = PromptServer.instance.prompt_queue.get_current_queue_volatile()
    return frozenset(entry[1] for entry in (*running, *waiting))


def drop_wrong_types(queued: Any) -> Any:
    """Take out of a prompt that is about to be queued what is neither a link nor of its input's type.

    ComfyUI converts before it validates: `null` would become a video of "None", and any text but an empty one a
    switch that is on. An input that is missing it refuses, by its name.
    """
    graph = queued.get("prompt") if isinstance(queued, dict) else None
    for node_id, node in graph.items() if isinstance(graph, dict) else ():
        paid = isinstance(node, dict) and node.get("class_type") == PAID_NODE
        inputs: Any = node.get("inputs") if paid else None
        for name in CONVERTED.keys() & (inputs if isinstance(inputs, dict) else ()):
            if not isinstance(inputs[name], (CONVERTED[name], list)):
                _log.warning("Seedance: %s of node %s is %.60r, which it cannot be.", name, node_id, inputs.pop(name))
    return queued
