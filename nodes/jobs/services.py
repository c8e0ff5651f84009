"""What one account's jobs work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from ..runcomfy.client import RunComfy
from ..video.download import Download
from .claims import Claims
from .clock import Clock
from .executors import Executors
from .journal import Journal
from .poll_schedule import PollSchedule, ScheduleFor
from .retry import RateLimiter
from .run import Unread

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
