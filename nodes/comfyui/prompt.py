"""The prompt that runs, and the node of it that this is called from."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from comfy_execution.graph import ExecutionBlocker
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context
from server import PromptServer


@dataclass(frozen=True)
class RunningNode:
    """The node that runs, in the graph that runs. Its methods may be called from any thread."""

    graph: str
    """The id of the queued graph."""
    node: str
    item: int
    """The place of what it works at in its list of inputs, from 0."""

    _left_out: ClassVar[Counter[str]] = Counter()
    """How many items of each node have come to nothing. It lives as long as the process: the next run asks for it."""

    def set_text(self, text: str) -> None:
        """Show a line of text on the node."""
        # Older web UIs take it for HTML, and all of them [[text|address]] for a link; prompts and services write it.
        plain = re.sub(r"\[(?=\[)", "[ ", text.replace("<", "‹"))
        PromptServer.instance.send_progress_text(plain, self.node, PromptServer.instance.client_id)

    def set_progress(self, value: int, total: int) -> None:
        """Show how much of what can be measured is done."""
        # Not comfy.utils.ProgressBar: it raises, and clears, a pending interruption from whatever calls it.
        get_progress_state().update_progress(self.node, value, total, None)

    @property
    def skipped_count(self) -> int:
        """How many items of this node have come to nothing so far."""
        return self._left_out[self.node]

    def left_out(self, reason: str, *, urgent: bool) -> None:
        """Tell the browser that queued the graph that this item came to nothing, while the others go on."""
        self._left_out[self.node] += 1
        told = {"prompt_id": self.graph, "node": self.node, "item": self.item, "reason": reason, "urgent": urgent}
        PromptServer.instance.send_sync("seedance.left_out", told, PromptServer.instance.client_id)

    @property
    def is_in_prompt(self) -> bool:
        """Whether the node is in the graph as it was queued; else another node has added it while it ran."""
        return self.node in (_running_graph(self.graph) or {})

    def uses_output(self, number: int) -> bool:
        """Whether any node of the graph takes this output; yes where that cannot be known."""
        graph = _running_graph(self.graph)
        if graph is None or self.node not in graph:
            # A node that another one added while it ran.
            return True
        links = (value for node in graph.values() for value in node["inputs"].values())
        return any(link == [self.node, number] for link in links)


def running_node() -> RunningNode | None:
    """The node that this is called from; None outside of a queued graph."""
    context = get_executing_context()
    return RunningNode(context.prompt_id, context.node_id, context.list_index or 0) if context else None


def _running_graph(graph_id: str) -> dict[str, dict[str, Any]] | None:
    running, _ = PromptServer.instance.prompt_queue.get_current_queue_volatile()
    return next((entry[2] for entry in running if entry[1] == graph_id), None)


def blocked_output() -> ExecutionBlocker:
    """What to hand out where there is nothing, so that ComfyUI leaves out whatever would take it.

    Without a message: with one, the browser reports the whole graph as failed while it goes on.
    """
    return ExecutionBlocker(None)
