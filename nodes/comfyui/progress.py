"""What the user is shown while a node brings videos."""

from __future__ import annotations

import logging
from typing import ClassVar

from ..jobs.batch_progress import Tally
from ..jobs.events import Event, Failed, Notice
from . import host

_log = logging.getLogger("seedance")


class Display:
    """Shows events on the running node, summed up where the node works at a list."""

    _tallies: ClassVar[dict[tuple[str, str], Tally]] = {}
    """By graph and node; the items of one list share theirs."""

    def __init__(self) -> None:
        self._node = host.running_node()
        self._tally = self._shared(self._node) if self._node else Tally()
        self._item = self._node.item if self._node else 0
        self._tally.join(self._item)

    def __call__(self, event: Event) -> None:
        self._tally.note(self._item, event)
        self._log(event)
        if self._node is None:
            return
        if line := self._tally.news():
            self._node.line(line)
        if progress := self._tally.progress():
            self._node.bar(*progress)

    @classmethod
    def _shared(cls, node: host.RunningNode) -> Tally:
        # Of the graphs before, nobody asks any more.
        for graph, other in tuple(cls._tallies):
            if graph != node.graph:
                cls._tallies.pop((graph, other), None)
        return cls._tallies.setdefault((node.graph, node.node), Tally())

    def _log(self, event: Event) -> None:
        """The line is overwritten by the next one; what matters is in the log as well."""
        if event.phase and event.phase.is_last and self._tally.is_list:
            # Each failure is in the log by itself.
            if self._tally.is_over and not isinstance(event, Failed):
                _log.info("Seedance: %s", self._tally.line())
        elif isinstance(event, Notice) and not isinstance(event, Failed):
            # A failure that ends the run is in the log by ComfyUI.
            _log.warning("Seedance: %s", event)
