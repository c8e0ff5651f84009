"""One run's work for one video: for which account, which job it is by now, and what it brings."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Final, ParamSpec, TypeVar

from ..runcomfy.client import RunComfy
from ..texts import Text
from ..video.download import Download
from . import events
from .budget import Limit
from .claims import Claims
from .errors import JournalUnusable, OutcomeUnknown, Reports, error_of
from .journal import Journal
from .quote import ListPrice
from .records import JobRecord, RequestKey, State
from .waiting import Clock, Executors, RateLimiter, Run, ended_within

P = ParamSpec("P")
T = TypeVar("T")

NO_JOB: Final = JobRecord(0, "", RequestKey("", "", ""), "", State.REFUSED, None)
"""Of a run that has submitted nothing; the base of records for jobs that the journal does not know."""
DEADLINE: Final = 30 * 60.0
"""Seconds; many times what the longest video takes, so only a long queue makes a run wait this long."""
WRITE_SECONDS: Final = 2.0
"""How long reporting an end waits until it is written down; a silent database takes half a minute."""


@dataclass(frozen=True)
class Account:
    """What its jobs share."""

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
    durations: tuple[float, ...] = ()
    """Seconds of jobs that the journal does not know, by which the next one is expected to last."""
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


class Job:
    """What the steps of a run share: the account, the user, the claim, and the job's record as it moves on."""

    def __init__(self, account: Account, run: Run) -> None:
        self.account = account
        self.run = run
        self.owner = account.claims.register(run.is_stopped)
        """The name under which this run claims."""
        self.record = NO_JOB
        """The job as far as this run knows it. Threads move it on, also when nobody waits for them any more."""
        self.submit_call: Future[bool] | None = None
        """The latest one, which may still be under way."""
        self.is_given_up = False
        """Whether Stop has given up waiting for that call."""
        self.lock = threading.Lock()

    async def call(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Do something that blocks, in a thread. Raises what it does, or `StopRequested` without waiting for it."""
        return await self.run.wait_for(self.account.executors.calls.submit(work, *args, **options))

    def in_journal(self, work: Callable[P, T | None], *args: P.args, **options: P.kwargs) -> Future[T | None]:
        """Do something in the journal's thread, after all that was to be written before."""
        try:
            return self.account.executors.journal.submit(work, *args, **options)
        except RuntimeError:  # the engine was closed meanwhile
            skipped: Future[T | None] = Future()
            skipped.set_result(None)
            return skipped

    def move(self, record: JobRecord, to: State, **changes: object) -> None:
        """Move a record on. A broken journal must not cost the user the video: say so and go on. Blocks."""
        try:
            self.record = self.account.journal.transition(record, to, **changes)
        except JournalUnusable as error:
            self.record = self.report_unwritten(error, record, to, **changes)

    def report_unwritten(self, error: JournalUnusable, record: JobRecord, to: State, **changes: object) -> JobRecord:
        """Tell the user that the journal cannot be written. Returns the record as it would have been."""
        moved = replace(record, state=to, **changes)  # type: ignore[arg-type]  # the names are JobRecord's fields
        note = (Text("noteId", id=moved.request_id),) if moved.request_id else ()
        self.run.report(events.notice(error.message, *note))
        return moved

    async def raise_end(self, record: JobRecord) -> None:
        """Raise how a job ended. An unclear outcome counts as reported only where somebody can read it."""
        error = error_of(record, is_read=self.run.is_read)
        if isinstance(error, OutcomeUnknown):
            # Shown before it is written down: after a crash in between it is reported twice, rather than never.
            self.run.report(events.notice(*error.texts))
            if not self.run.is_read:
                raise error
            reported = {"reported_by": self.account.reports.server}
            writing = self.in_journal(self.move, record, State.UNKNOWN_REPORTED, **reported)
            try:
                # Even if Stop is pressed meanwhile.
                if await asyncio.shield(ended_within(writing, WRITE_SECONDS)):
                    writing.result()
            except asyncio.CancelledError:
                self.note_unread(record)
                raise
        self.note_end(record)
        raise error

    def note_unread(self, record: JobRecord) -> None:
        """Note, also in the journal, that nobody has read the unclear outcome of a job that was raised."""
        self.account.reports.note_unread(record)
        # In no server's name, so that any server that finds it reports it.
        reported = replace(record, state=State.UNKNOWN_REPORTED)
        self.in_journal(self.move, reported, State.UNKNOWN_REPORTED, reported_by="")

    def note_end(self, record: JobRecord) -> None:
        """Note that a bad end is about to be raised to the user."""
        self.account.reports.add(record, self.run.prompt_id)

    def release(self) -> None:
        self.account.claims.unregister(self.owner)
        self.in_journal(self.account.claims.release, self.owner)
