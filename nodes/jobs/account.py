"""What one account's jobs work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Final

from ..runcomfy.client import RunComfy
from ..video.download import Download
from .claims import Claims
from .clock import Clock
from .errors import JournalUnusable
from .events import Event, Notice
from .executors import Executors
from .job import Unread
from .journal import Journal
from .poll_schedule import PollSchedule, ScheduleFor
from .records import JobRecord
from .retry import RateLimiter
from .states import State

DEADLINE: Final = 30 * 60.0
"""Seconds; many times what the longest video takes, so that only a queue makes a run wait for so long."""


@dataclass(frozen=True)
class Services:
    """Made by the engine, and handed to everything that works at a job of the account."""

    client: RunComfy
    account: str
    """Tells accounts apart; not the token."""
    origin: str
    """The service, normalised."""
    journal: Journal
    claims: Claims
    unread: Unread
    executors: Executors
    rate_limiter: RateLimiter
    clock: Clock
    folder: Path
    """Where the videos go."""
    open_download: Callable[[Path], Download]
    check_before_submit: Callable[[], None] = lambda: None
    """Raises `SeedanceError` for what would keep the video from arriving; blocks for milliseconds."""
    schedule: ScheduleFor = PollSchedule.learnt
    price: Callable[[], str] = str
    """The list price as far as it is known by now, without waiting."""
    random: Random = field(default_factory=Random)
    deadline: float = DEADLINE
    """Seconds that one run waits for a job."""

    def transition(self, report: Callable[[Event], None], record: JobRecord, to: State, **changes: object) -> JobRecord:
        """Move a submitted job's record on. A broken journal must not cost the user the video: say so and go on."""
        try:
            return self.journal.transition(record, to, **changes)
        except JournalUnusable as error:
            return going_on(error, report, record, to, **changes)


def going_on(
    error: JournalUnusable, report: Callable[[Event], None], record: JobRecord, to: State, **changes: object
) -> JobRecord:
    """The record as it would be, where the journal cannot be written."""
    moved = replace(record, state=to, **changes)  # type: ignore[arg-type]  # the names are JobRecord's fields
    job = f" The job goes on; note its request id: {moved.request_id}." if moved.request_id else ""
    report(Notice(f"{error.message}{job}"))
    return moved


@dataclass(frozen=True)
class Video:
    """What a job brought."""

    request_id: str
    files: tuple[Path, ...]
    """At least one; all checked."""
    cost: float | None = None
    """US dollars, where the service tells."""
    elapsed: float = 0.0
    """Seconds that this run took."""
    reused: bool = False
    """It was on disk already."""
    price: str = ""
    """The list price, where the service tells: `$0.02 per second`."""
