"""A run of a graph in the terminal: one bar per node, with the node's own line of text."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from typing import Any, Final

from tqdm import tqdm

from .comfyui_client import Graph
from .comfyui_events import PROGRESS_TEXT, Event

FORMAT: Final = "{desc:<24} {percentage:3.0f}% |{bar:24}| {elapsed}{postfix}"
UNKNOWN_TERMINAL: Final = (120, 24)
TERMINAL_SECONDS: Final = 0.1
"""Between two drawings of a bar."""
FILE_SECONDS: Final = 5.0
"""The same where each drawing is one more line of a log."""


class ProgressBars:
    """Draws the events it is called with; a bar appears when its node starts, and stays."""

    def __init__(self, graph: Graph) -> None:
        self._titles = {node: _title(content) for node, content in graph.items()}
        self._bars: dict[str, tqdm[Any]] = {}
        self._finished: set[str] = set()

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(self, *_: object) -> None:
        for bar in self._bars.values():
            bar.close()

    def __call__(self, event: Event) -> None:
        if event.name == PROGRESS_TEXT:
            bar = self._bar(event.data["node"])
            bar.set_postfix_str(" ".join(event.data["text"].split()), refresh=False)
            bar.update(0)
        elif event.name == "progress_state":
            for node in event.data["nodes"].keys() - self._finished:
                self._advance(node, event.data["nodes"][node])

    def _advance(self, node: str, state: Mapping[str, Any]) -> None:
        bar = self._bar(node)
        finished = state["state"] == "finished"
        done = 1.0 if finished else min(1.0, state["value"] / max(state["max"], 1e-9))
        bar.update(done - bar.n)
        if finished:
            self._finished.add(node)
            self._bars.pop(node).close()

    def _bar(self, node: str) -> tqdm[Any]:
        if node not in self._bars:
            columns, lines = shutil.get_terminal_size(UNKNOWN_TERMINAL)
            self._bars[node] = tqdm(
                total=1.0,
                desc=self._titles.get(node, node),
                bar_format=FORMAT,
                ncols=columns,
                nrows=lines,
                miniters=0,
                mininterval=TERMINAL_SECONDS if sys.stderr.isatty() else FILE_SECONDS,
            )
        return self._bars[node]


def _title(node: Mapping[str, Any]) -> str:
    title: str = node.get("_meta", {}).get("title") or node["class_type"]
    return title
