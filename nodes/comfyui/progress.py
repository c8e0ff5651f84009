"""The text and the bar on a node: the item's own where there is one, summed up where there is a list of them."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from ..jobs.events import (
    Decoding,
    Done,
    Downloading,
    Event,
    Failed,
    Generating,
    Notice,
    Phase,
    Queued,
    Retrying,
    StopReport,
    dollars,
)
from ..jobs.stop_outcome import StopOutcome

_log = logging.getLogger("seedance")

MOST_REASONS: Final = 5
"""Failed items whose reasons the line names, but for urgent ones, which it names all."""


@dataclass
class _Item:
    phase: Phase = Phase.SUBMITTING
    event: Event | None = None
    """The last one."""


class BatchProgress:
    """How far the items of a list are. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._items: dict[int, _Item] = {}
        self._shown = ""
        self._measured: tuple[int, int] | None = None

    def add(self, number: int) -> None:
        """Count an item in, by its place in the list from 0."""
        with self._lock:
            self._items[number] = _Item()

    def update(self, number: int, event: Event) -> None:
        """Take in what has happened to an item."""
        with self._lock:
            item = self._items[number]
            # What comes after the end is about the journal, and no news for the line.
            if not item.phase.is_last:
                item.event = event
                item.phase = event.phase or item.phase

    @property
    def is_over(self) -> bool:
        """Whether all items have ended."""
        with self._lock:
            return all(item.phase.is_last for item in self._items.values())

    @property
    def is_list(self) -> bool:
        """Whether there are several items."""
        return len(self._items) > 1

    def changed_text(self) -> str:
        """What the node shows now if that has changed since this was asked last, else nothing."""
        with self._lock:
            before, self._shown = self._shown, self.summary()
            return self._shown if self._shown != before else ""

    def changed_progress(self) -> tuple[int, int] | None:
        """What is measured if that has changed since this was asked last, else nothing."""
        with self._lock:
            before, self._measured = self._measured, self.measured()
            return self._measured if self._measured != before else None

    def summary(self) -> str:
        """What the node shows now."""
        with self._lock:
            if self.is_list:
                return _summed_up(dict(sorted(self._items.items())))
            return "".join(str(item.event or "") for item in self._items.values())

    def measured(self) -> tuple[int, int] | None:
        """How much of what can be measured is done, and of how much: bytes, frames, or the items of a list."""
        with self._lock:
            items = list(self._items.values())
        if len(items) > 1:
            return sum(item.phase.is_last for item in items), len(items)
        (event,) = (item.event for item in items)
        if isinstance(event, Downloading) and event.total:
            return event.received, event.total
        return (event.done, event.total) if isinstance(event, Decoding) else None


def _summed_up(items: dict[int, _Item]) -> str:
    counts = Counter(item.phase for item in items.values())
    parts = ", ".join(f"{counts[phase]} {phase.value}" for phase in Phase if counts[phase])
    summary = f"{len(items)} videos: {parts}{_details(items)}"
    return "\n".join([summary, *_outcomes(items), *_reasons(items)])


def _details(items: dict[int, _Item]) -> str:
    events = [item.event for item in items.values() if item.event]
    costs = [event.cost for event in events if isinstance(event, Done) and not event.reused and event.cost is not None]
    waits = [event.elapsed for event in events if isinstance(event, Queued | Generating)]
    said = [f", {max(waits):.0f} s" if waits else "", f", {dollars(sum(costs))}" if costs else ""]
    trouble = next((str(event) for event in events if isinstance(event, Retrying)), "")
    return "".join(said) + (f". {trouble}" if trouble else "")


def _outcomes(items: dict[int, _Item]) -> list[str]:
    counts = Counter(item.event.outcome for item in items.values() if isinstance(item.event, StopReport))
    return [f"{counts[outcome]} {outcome.value}" for outcome in StopOutcome if counts[outcome]]


def _reasons(items: dict[int, _Item]) -> Iterator[str]:
    failed = [(number, item.event) for number, item in items.items() if isinstance(item.event, Failed)]
    failed.sort(key=lambda each: not each[1].urgent)
    shown = max(MOST_REASONS, sum(event.urgent for _, event in failed))
    for number, event in failed[:shown]:
        yield f"[{number + 1}] {event}"
    if len(failed) > shown:
        yield f"and {len(failed) - shown} more, in ComfyUI's log"


class Screen(Protocol):
    """Where a node shows how it goes."""

    def set_text(self, text: str) -> None: ...

    def set_progress(self, value: int, total: int) -> None: ...


class ItemProgress:
    """Shows the events of one item on its node, summed up with those of its list's other items."""

    def __init__(self, batch: BatchProgress, item: int, screen: Screen) -> None:
        self._batch = batch
        self._item = item
        self._screen = screen
        batch.add(item)

    def __call__(self, event: Event) -> None:
        self._batch.update(self._item, event)
        self._log(event)
        if text := self._batch.changed_text():
            self._screen.set_text(text)
        if progress := self._batch.changed_progress():
            self._screen.set_progress(*progress)

    def _log(self, event: Event) -> None:
        """The line is overwritten by the next one; what matters is in the log as well."""
        if event.phase and event.phase.is_last and self._batch.is_list:
            # Each failure is in the log by itself.
            if self._batch.is_over and not isinstance(event, Failed):
                _log.info("Seedance: %s", self._batch.summary())
        elif isinstance(event, Notice) and not isinstance(event, Failed):
            # A failure that ends the run is in the log by ComfyUI.
            _log.warning("Seedance: %s", event)
