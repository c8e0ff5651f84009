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
"""Seconds; many times what the longest video takes, so that only a queue makes a run wait for so long."""


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
    forgets both, and the queue. May be used from any thread.

    ``queued_prompts`` gives the ids of those that are running or waiting.
    """

    def __init__(self, server: str, queued_prompts: Callable[[], frozenset[str]] = frozenset) -> None:
        self.server = server
        """The same after a restart: by it the journal knows who has reported an unknown outcome."""
        self._queued_prompts = queued_prompts
        self._queued: dict[str, frozenset[str] | None] = {}
        """By the record's uid, the prompts that were queued when its end was first raised; None: nobody has read it."""
        self._lock = threading.Lock()

    def add(self, record: JobRecord, prompt_id: str = "") -> None:
        """Note that the end of a job is reported to a user now: by a prompt, or else by a page."""
        queued = self._queued_prompts() | {prompt_id}
        with self._lock:
            if self._queued.get(record.uid) is None:
                self._queued[record.uid] = queued

    def note_unread(self, record: JobRecord) -> None:
        """Note that what was raised about a job did not reach anybody."""
        with self._lock:
            self._queued[record.uid] = None

    def unread(self, records: Iterable[JobRecord], prompt_id: str, just_ended: frozenset[int]) -> frozenset[int]:
        """The ids of the records whose bad end nobody can have read when a prompt was queued. Those in ``just_ended``
        have ended after that, if at all: this run has waited for them, or another is about to raise."""

        def is_unread(record: JobRecord) -> bool:
            queued = self._queued.get(record.uid, frozenset())
            by_another = record.state is State.UNKNOWN_REPORTED and record.reported_by != self.server
            return record.id in just_ended or by_another or queued is None or prompt_id in queued

        bad = (State.UNKNOWN_REPORTED, State.FAILED, State.EXPIRED)
        return frozenset(record.id for record in records if record.state in bad and is_unread(record))
