"""What a generation works with, handed in as one piece."""

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
from .events import EventSink, Notice
from .executors import Executors
from .journal import JobRecord, Journal
from .poll_schedule import PollSchedule, ScheduleFor
from .rate_limiter import RateLimiter
from .states import State

DEADLINE: Final = 30 * 60.0
"""Seconds; many times what the longest video takes, so that only a queue makes a run wait for so long."""


@dataclass(frozen=True)
class Services:
    """The outside world of one account's generations."""

    client: RunComfy
    account: str
    """Tells accounts, and services, apart; not the token."""
    journal: Journal
    claims: Claims
    executors: Executors
    rate_limiter: RateLimiter
    clock: Clock
    folder: Path
    """Where the videos go."""
    open_download: Callable[[Path], Download]
    schedule: ScheduleFor = PollSchedule.learnt
    price: Callable[[], str] = str
    """The list price as far as it is known by now, without waiting."""
    random: Random = field(default_factory=Random)
    deadline: float = DEADLINE
    """Seconds that one run waits for a job."""


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


def record(services: Services, events: EventSink, entry: JobRecord, to: State) -> JobRecord:
    """Move a submitted entry on in the journal; a broken journal must not cost the user the video. Blocks."""
    try:
        return services.journal.transition(entry, to, services.clock.wall())
    except JournalUnusable as error:
        job = f" The job goes on; note its request id: {entry.request_id}." if entry.request_id else ""
        events(Notice(f"{error.message}{job}"))
        return replace(entry, state=to)
