"""Who asks for a video, and which bad ends of jobs they can have read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .events import Event
from .records import JobRecord
from .states import State


@dataclass(frozen=True)
class Run:
    """One item of one node of one queued prompt; or one command in a terminal."""

    key: str
    """Equal when the same item of the same node of the same prompt is executed again, and never else."""
    prompt_id: str
    queued_prompts: Callable[[], frozenset[str]]
    """The ids of all prompts that are running or waiting now, this run's among them."""
    report: Callable[[Event], None]
    """Shows the user an event."""
    is_stopped: Callable[[], bool]
    """Whether Stop is pressed; looked at every tenth of a second."""
    is_read: bool = True
    """Whether what it raises reaches somebody: not where failures are skipped."""


class Unread:
    """What this server has raised, and which prompts were queued by then. A restart forgets both, and the queue.

    May be used from any thread.

    Args:
        server: its name, the same after a restart, by which the journal knows who has reported an unknown outcome.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self._queued: dict[str, frozenset[str] | None] = {}
        """By the record's uid, the prompts that were queued when its end was first raised; None: nobody has read it."""
        self._lock = threading.Lock()

    def raised(self, record: JobRecord, run: Run) -> None:
        """Note that the end of a job was raised to the user of a run."""
        with self._lock:
            if self._queued.get(record.uid) is None:
                self._queued[record.uid] = run.queued_prompts() | {run.prompt_id}

    def not_read(self, record: JobRecord) -> None:
        """Note that what was raised about a job did not reach anybody."""
        with self._lock:
            self._queued[record.uid] = None

    def of(self, records: Iterable[JobRecord], run: Run, just_ended: frozenset[int]) -> frozenset[int]:
        """The ids of the records whose end nobody had read when this run was queued.

        Args:
            just_ended: if they have ended, then after that: this run has waited for them, or another is about to raise.
        """
        ended = (State.UNKNOWN_REPORTED, State.FAILED, State.EXPIRED)
        bad = (record for record in records if record.state in ended)
        return frozenset(record.id for record in bad if record.id in just_ended or self._is_unread(record, run))

    def _is_unread(self, record: JobRecord, run: Run) -> bool:
        if record.state is State.UNKNOWN_REPORTED and record.reported_by != self.server:
            return True
        queued = self._queued.get(record.uid, frozenset())
        return queued is None or run.prompt_id in queued
