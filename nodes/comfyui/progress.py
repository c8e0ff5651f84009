"""The text and the progress bar on a node: of its one item, or summed up over a list of items."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from ..jobs import events
from ..jobs.events import Event, Phase, StopOutcome, dollars, joined
from ..texts import Text

_log = logging.getLogger("seedance")
MAX_REASONS: Final = 5
"""Failed items whose reasons are shown at most; all urgent ones are shown."""
Lines = tuple[tuple[str, ...], ...]
"""The sentences of each line."""


@dataclass
class _Item:
    phase: Phase = Phase.SUBMITTING
    event: Event = field(default_factory=events.submitting)
    names: tuple[str, ...] = ()


class BatchProgress:
    """How far the items of one node's list are, shown on the node. May be used from any thread.

    ``show`` takes lines of text, and the phase if they are about a single video; ``set_progress`` takes how much is
    done, and the total. Both may be called from any thread.
    """

    def __init__(self, show: Callable[[Lines, Phase | None], None], set_progress: Callable[[int, int], None]) -> None:
        self._show_lines, self._set_progress = show, set_progress
        self._lock = threading.Lock()
        self._items: dict[int, _Item] = {}
        self._shown_lines: Lines = ()
        self._shown_progress: tuple[int, int] | None = None

    def add(self, number: int, names: tuple[str, ...] = ()) -> Callable[[Event], None]:
        """Add the item at a place in the list, from 0. Returns the function that shows its events.

        ``names`` tell it from the others, the best first; every item has equally many.
        """
        with self._lock:
            self._items[number] = _Item(names=names)
        return partial(self._show, number)

    def _show(self, number: int, event: Event) -> None:
        with self._lock:
            item, items = self._items[number], list(self._items.values())
            # Events after the last phase are about the journal, and do not change the line.
            if not item.phase.is_last:
                item.event, item.phase = event, event.phase or item.phase
            is_list = len(items) > 1
            lines = _summary(dict(sorted(self._items.items()))) if is_list else (item.event.texts,)
            if lines != self._shown_lines:
                self._show_lines(lines, None if is_list else item.event.phase)
            progress = (sum(each.phase.is_last for each in items), len(items)) if is_list else item.event.progress
            if progress and progress != self._shown_progress:
                self._set_progress(*progress)
            self._shown_lines, self._shown_progress = lines, progress
        # The next line overwrites this one, so what matters is logged as well. ComfyUI logs failures itself.
        if event.phase and event.phase.is_last and is_list:
            if all(each.phase.is_last for each in items) and event.phase is not Phase.FAILED:
                _log.info("Seedance: %s", english(lines))
        elif event.phase is Phase.STOPPED or (event.phase is None and not event.is_retry):
            _log.warning("Seedance: %s", event)


def english(lines: Lines) -> str:
    return "\n".join(" ".join(line) for line in lines)


def _summary(items: dict[int, _Item]) -> Lines:
    last = [item.event for item in items.values()]
    counts = Counter(item.phase for item in items.values())
    waits = [event.waited for event in last if event.waited is not None]
    costs = [event.cost for event in last if event.cost is not None]
    outcomes = Counter(event.outcome for event in last)
    parts = joined(
        *(Text(f"list.{phase.value}", count=counts[phase]) for phase in Phase if counts[phase]),
        Text("list.seconds", seconds=round(max(waits))) if waits else "",
        dollars(sum(costs)) if costs else "",
    )
    return (
        (Text("list.videos", count=len(items), parts=parts),),
        *[event.texts for event in last if event.is_retry][:1],
        *((Text(f"list.{outcome.value}", count=outcomes[outcome]),) for outcome in StopOutcome if outcomes[outcome]),
        *_reasons(items),
    )


def _reasons(items: dict[int, _Item]) -> Iterator[tuple[str, ...]]:
    failed = [(number, item.event) for number, item in items.items() if item.event.phase is Phase.FAILED]
    failed.sort(key=lambda each: not each[1].urgent)
    shown = max(MAX_REASONS, sum(event.urgent for _, event in failed))
    for number, event in failed[:shown]:
        yield Text("list.named", name=_name(number, items)), *event.texts
    if len(failed) > shown:
        yield (Text("list.more", count=len(failed) - shown),)


def _name(number: int, items: dict[int, _Item]) -> str:
    """The first of an item's names that no other item has; its number from 1 where there is none."""
    others = [item.names for other, item in items.items() if other != number]
    for place, name in enumerate(items[number].names):
        if name and all(names[place : place + 1] != (name,) for names in others):
            return name
    return str(number + 1)
