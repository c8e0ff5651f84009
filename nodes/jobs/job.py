"""One run's work for one video: who asks, which job it is by now, and what it brings."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from ..runcomfy.request import GenerationRequest
from ..texts import Text
from . import events
from .account import Account
from .clock import Clock
from .errors import JournalUnusable, OutcomeUnknown, error_of
from .events import Event
from .records import JobRecord, RequestKey, State
from .waiting import Cancellation, ended_within

P = ParamSpec("P")
T = TypeVar("T")

NO_JOB: Final = JobRecord(0, "", RequestKey("", "", ""), "", State.REFUSED, None)
"""Stands for the job of a run that has submitted nothing."""
WRITE_SECONDS: Final = 2.0
"""How long reporting an end waits until it is written down; a silent database takes half a minute."""


@dataclass(frozen=True)
class Run:
    """One item of one node of one queued prompt; or one command in a terminal."""

    key: str
    """Equal when the same item of the same node of the same prompt is executed again, and never else."""
    prompt_id: str
    queued_prompts: Callable[[], frozenset[str]]
    """The ids of all prompts that are running or waiting now, this run's among them."""
    report: Callable[[Event], None]
    is_stopped: Callable[[], bool]
    """Whether Stop is pressed; looked at every tenth of a second."""
    is_read: bool = True
    """Whether somebody reads the error that it raises: not if failures are skipped."""
    trailer: Callable[[], bytes] = bytes
    """Returns, in a thread, what to append to the file of each video that this run fetches."""

    def cancellation(self, clock: Clock) -> Cancellation:
        """The user's side of what this run waits for."""
        return Cancellation(clock, self.report, self.is_stopped)


@dataclass(frozen=True)
class Order:
    """The video that a run wants."""

    request: GenerationRequest
    key: RequestKey
    run_key: str = ""
    """Empty where any finished video of the request will do (`reuse`), else the run that wants a new one."""


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
        self.cancellation = run.cancellation(account.clock)
        self.owner = account.claims.join(run.is_stopped)
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
        return await self.cancellation.wait_for(self.account.executors.calls.submit(work, *args, **options))

    def write(self, work: Callable[P, object], *args: P.args, **options: P.kwargs) -> Future[object]:
        """Write something to the journal in its thread, after all that was to be written before."""
        try:
            return self.account.executors.journal.submit(work, *args, **options)
        except RuntimeError:  # the engine was closed meanwhile
            skipped: Future[object] = Future()
            skipped.set_result(None)
            return skipped

    def move(self, record: JobRecord, to: State, **changes: object) -> None:
        """Move a record on. A broken journal must not cost the user the video: say so and go on. Blocks."""
        try:
            self.record = self.account.journal.transition(record, to, **changes)
        except JournalUnusable as error:
            self.record = self.unwritten(error, record, to, **changes)

    def unwritten(self, error: JournalUnusable, record: JobRecord, to: State, **changes: object) -> JobRecord:
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
            writing = self.write(self.move, record, State.UNKNOWN_REPORTED, **reported)
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
        self.write(self.move, reported, State.UNKNOWN_REPORTED, reported_by="")

    def note_end(self, record: JobRecord) -> None:
        """Note that a bad end is about to be raised to the user."""
        self.account.reports.add(record, self.run.queued_prompts() | {self.run.prompt_id})

    def leave(self) -> None:
        self.account.claims.leave(self.owner)
        self.write(self.account.claims.give_back, self.owner)
