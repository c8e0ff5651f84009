"""What the jobs of one account share, and which bad ends their users have read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from ..runcomfy.client import RunComfy
from ..video.download import Download
from .budget import Limit
from .claims import Claims
from .clock import Clock
from .journal import Journal
from .quote import ListPrice
from .records import JobRecord, State
from .waiting import Executors, PollSchedule, RateLimiter, ScheduleFor

DEADLINE: Final = 30 * 60.0
"""Seconds; many times what the longest video takes, so only a long queue makes a run wait this long."""


@dataclass(frozen=True)
class Account:
    client: RunComfy
    name: str
    """Tells accounts apart; not the token."""
    origin: str
    """The service, normalised."""
    claims: Claims
    """In the journal of the account's jobs."""
    reports: Reports
    executors: Executors
    rate_limiter: RateLimiter
    price: ListPrice
    folder: Path
    """Where the videos go."""
    open_download: Callable[[Path], Download]
    check_before_submit: Callable[[], None] = lambda: None
    """Raises `SeedanceError` for what would keep the video from arriving; blocks for milliseconds."""
    schedule: ScheduleFor = PollSchedule.learnt
    limit: Callable[[], Limit] = Limit
    """How much may be spent in a day. Blocks, and raises `JobError`."""
    max_jobs: int = 0
    """That may be at the service at once, over all servers that share the journal; 0 for any number."""
    deadline: float = DEADLINE
    """Seconds that one run waits for a job."""
    random: Random = field(default_factory=Random)

    @property
    def journal(self) -> Journal:
        return self.claims.journal

    @property
    def clock(self) -> Clock:
        return self.journal.clock


class Reports:
    """Which failed and unclear ends of jobs this server has reported, and which prompts were queued by then. A restart
    forgets both, and the queue. May be used from any thread."""

    def __init__(self, server: str) -> None:
        self.server = server
        """The same after a restart: by it the journal knows who has reported an unknown outcome."""
        self._queued: dict[str, frozenset[str] | None] = {}
        """By the record's uid, the prompts that were queued when its end was first raised; None: nobody has read it."""
        self._lock = threading.Lock()

    def add(self, record: JobRecord, queued: frozenset[str]) -> None:
        """Note that the end of a job is reported to a user, whose ``queued`` prompts were queued before that."""
        with self._lock:
            if self._queued.get(record.uid) is None:
                self._queued[record.uid] = queued

    def note_unread(self, record: JobRecord) -> None:
        """Note that nobody has read what was reported about a job."""
        with self._lock:
            self._queued[record.uid] = None

    def unread(self, records: Iterable[JobRecord], prompt_id: str, just_ended: frozenset[int]) -> frozenset[int]:
        """The ids of failed and unclear records whose end nobody can have read when a prompt was queued. Jobs in
        ``just_ended`` ended after that, if at all: this run waited for them, or another is about to report them."""

        def is_unread(record: JobRecord) -> bool:
            queued = self._queued.get(record.uid, frozenset())
            by_another = record.state is State.UNKNOWN_REPORTED and record.reported_by != self.server
            return record.id in just_ended or by_another or queued is None or prompt_id in queued

        bad = (State.UNKNOWN_REPORTED, State.FAILED, State.EXPIRED)
        return frozenset(record.id for record in records if record.state in bad and is_unread(record))
