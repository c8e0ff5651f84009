"""What the user is shown while a node brings videos."""

from __future__ import annotations

import logging
from typing import ClassVar

from ..jobs.batch_progress import BatchProgress
from ..jobs.events import Event, Failed, Notice
from . import host

_log = logging.getLogger("seedance")


class Display:
    """Shows events on the running node, summed up where the node works at a list."""

    _tallies: ClassVar[dict[tuple[str, str], BatchProgress]] = {}
    """By graph and node; the items of one list share theirs."""

    def __init__(self) -> None:
        self._node = host.running_node()
        self._progress = self._shared(self._node) if self._node else BatchProgress()
        self._item = self._node.item if self._node else 0
        self._progress.add(self._item)

    def __call__(self, event: Event) -> None:
        self._progress.update(self._item, event)
        self._log(event)
        if self._node is None:
            return
        if line := self._progress.changed_text():
            self._node.set_text(line)
        if progress := self._progress.changed_progress():
            self._node.set_progress(*progress)

    @classmethod
    def _shared(cls, node: host.RunningNode) -> BatchProgress:
        # Of the graphs before, nobody asks any more.
        for graph, other in tuple(cls._tallies):
            if graph != node.graph:
                cls._tallies.pop((graph, other), None)
        return cls._tallies.setdefault((node.graph, node.node), BatchProgress())

    def _log(self, event: Event) -> None:
        """The line is overwritten by the next one; what matters is in the log as well."""
        if event.phase and event.phase.is_last and self._progress.is_list:
            # Each failure is in the log by itself.
            if self._progress.is_over and not isinstance(event, Failed):
                _log.info("Seedance: %s", self._progress.summary())
        elif isinstance(event, Notice) and not isinstance(event, Failed):
            # A failure that ends the run is in the log by ComfyUI.
            _log.warning("Seedance: %s", event)
