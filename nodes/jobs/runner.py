"""From a request to its video, exactly once: what is done is decided by what the journal says was done before."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from ..runcomfy.errors import Charge, PermissionDenied, RunComfyError
from ..runcomfy.request import GenerationRequest
from .cancel import left_alone, settle
from .cancellation import StopSeen, Watch
from .download import collect, files_of, is_intact
from .errors import Forgotten, JobFailed, JournalUnusable, Stopped
from .events import EventSink, Settled
from .journal import Entry
from .poll import Follower
from .request_lock import Turn
from .services import Means, Video, record
from .states import State
from .submit import Submission, tell_unknown, unknown

P = ParamSpec("P")
T = TypeVar("T")


class Generator:
    """Generates, and finds again, the videos of one account."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def generate(
        self, request: GenerationRequest, *, events: EventSink, stop: Callable[[], bool], reuse: bool = True
    ) -> Video:
        """The video of a request: from disk, from an earlier job, or bought.

        Args:
            events: shown to the user.
            stop: whether Stop is pressed; looked at every tenth of a second.
            reuse: whether a finished video of the same request will do. An unfinished job always will.

        Raises:
            RunComfyError, GenerationError: no video; the message says whether anything was charged.
            Stopped: the user pressed Stop; says what became of the job.
        """
        fingerprint = self._fingerprint(request)
        run = _Run(self._means, Watch(self._means.clock, events, stop), fingerprint)
        return await run.guarded(run.generate(request, reuse), events, may_cancel=True)

    async def fetch(self, request_id: str, *, events: EventSink, stop: Callable[[], bool]) -> Video:
        """The video of a job that was submitted before, here or elsewhere; waits for it if need be.

        Raises as `generate` does. Stop leaves the job alone.
        """
        run = _Run(self._means, Watch(self._means.clock, events, stop), f"job {request_id}")
        return await run.guarded(run.fetch(request_id), events, may_cancel=False)

    def _fingerprint(self, request: GenerationRequest) -> str:
        """Equal for equal requests of one account to one model."""
        return f"{_hash(self._means.client.model, request.canonical())}.{_account(self._means)}"


def _account(means: Means) -> str:
    """The half of a fingerprint that stands for the account."""
    return _hash(means.account)[:16]


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class _Run:
    """One pass through `Generator.generate` or `Generator.fetch`."""

    def __init__(self, means: Means, watch: Watch, fingerprint: str) -> None:
        self._means = means
        self._watch = watch
        self._fingerprint = fingerprint
        self._started = means.clock.monotonic()
        self._turn = Turn(means, watch)
        self._found: Entry | None = None
        self._submission: Submission | None = None
        self._follower: Follower | None = None

    async def guarded(self, work: Coroutine[None, None, Video], events: EventSink, *, may_cancel: bool) -> Video:
        """Do ``work``; however it ends, tell the truth about the job and give the lease back."""
        try:
            return await work
        except StopSeen:
            settling = asyncio.ensure_future(self._settle(may_cancel))
            try:
                settled = await asyncio.shield(settling)
            except asyncio.CancelledError:
                # Another node has stopped already, at which ComfyUI ends all others; this job's fate is still told.
                events(await settling)
                raise
            raise Stopped(str(settled), settled.fate) from None
        except asyncio.CancelledError:
            # A failed sibling node, which is no reason to give up a paid job; or Stop, seen by somebody else first.
            if self._watch.stop():
                events(await self._settle(may_cancel))
            else:
                if self._submission:
                    self._submission.call_off()
                events(left_alone(self._entry(), "Another node ended this run"))
            raise
        finally:
            self._release()

    async def generate(self, request: GenerationRequest, reuse: bool) -> Video:
        journal = self._means.journal
        if reuse and (video := await self._on_disk()):
            return video
        before = await self._call(journal.newest, self._fingerprint)
        waited = await self._turn.take(self._fingerprint)
        if reuse and (video := await self._on_disk()):
            return video
        if waited and (newest := await self._call(journal.newest, self._fingerprint)) and newest != before:
            # The run that this one waited for has ended badly, of which the user cannot have read before this began.
            if newest.state is State.TOLD:
                raise unknown(newest)
            if newest.state is State.FAILED and reuse:
                raise JobFailed(newest.reason, newest.request_id)
        entry = await self._call(journal.unfinished, self._fingerprint)
        if entry is None and reuse:
            entry = await self._call(journal.saved, self._fingerprint)
        if entry is None:
            return await self._adopted(reuse) or await self._buy(request)
        if entry.state is State.INTENDED:
            # Its writer is dead, or this run would not have the lease.
            entry = await self._call(journal.move, entry, State.UNKNOWN, self._means.clock.wall())
        if entry.state is State.UNKNOWN:
            raise await self._call(tell_unknown, self._means, self._watch, entry)
        return await self._bring(entry, fresh=False)

    async def fetch(self, request_id: str) -> Video:
        if files := await self._call(files_of, request_id, self._means.folder):
            return Video(request_id, files, reused=True)
        known = await self._call(self._means.journal.job, request_id)
        if known:
            self._fingerprint = known.fingerprint
        await self._turn.take(self._fingerprint)
        # Whoever had the lease before may have moved it on.
        entry = await self._call(self._means.journal.job, request_id)
        if entry is None or entry.state not in (State.ACCEPTED, State.SUCCEEDED, State.SAVED):
            entry = Entry(0, self._fingerprint, State.ACCEPTED, None, request_id)
        try:
            return await self._bring(entry, fresh=False)
        except RunComfyError as error:
            if not entry.id:
                # Not a job that is known to be ours; and asking is free.
                error.charge = Charge.NOTHING
            raise

    async def _adopted(self, reuse: bool) -> Video | None:
        """The video of the same request with another token, which may be a new one of the same account."""
        entry = await self._call(self._means.journal.elsewhere, self._fingerprint, finished=reuse)
        if entry is None:
            return None
        if reuse and (files := await self._call(files_of, entry.request_id, self._means.folder)):
            return Video(entry.request_id, files, entry.cost, reused=True)
        try:
            return await self._bring(entry, fresh=False)
        except (PermissionDenied, Forgotten):
            self._found = self._follower = None
            return None

    async def _buy(self, request: GenerationRequest) -> Video:
        self._submission = Submission(self._means, self._watch, request, self._fingerprint)
        return await self._bring(await self._submission.accepted(), fresh=True)

    async def _bring(self, entry: Entry, *, fresh: bool) -> Video:
        self._found = entry
        # A job of elsewhere is scheduled as one of the default size and length.
        request = entry.request or GenerationRequest("(unknown)")
        try:
            history = await self._call(self._means.journal.durations, request)
        except JournalUnusable:
            history = []  # the job is paid for; it goes on without
        schedule = self._means.schedule(request, history)
        self._follower = Follower(self._means, self._watch, entry, schedule, fresh=fresh)
        try:
            if entry.state is State.ACCEPTED:
                result = await self._follower.end()
            else:
                result = await self._follower.result()
            entry = await collect(self._means, self._watch, self._follower, result)
        except Forgotten:
            entry = await self._call(self._left_on_disk, self._follower.entry)
            if entry.state is State.FORGOTTEN:
                raise
        elapsed = self._means.clock.monotonic() - self._started
        return Video(entry.request_id, self._paths(entry), entry.cost, elapsed, price=entry.price)

    def _left_on_disk(self, entry: Entry) -> Entry:
        """A job that the service has forgotten; its video may have arrived before that could be written down."""
        files = files_of(entry.request_id, self._means.folder)
        if not files:
            # Another account's job, or another service's, is only unknown here.
            ours = entry.fingerprint.endswith(f".{_account(self._means)}")
            forgotten = replace(entry, id=entry.id if ours else 0)
            return record(self._means, self._watch.show, forgotten, State.FORGOTTEN)
        if entry.state is State.ACCEPTED:
            entry = record(self._means, self._watch.show, entry, State.SUCCEEDED)
        saved = replace(entry, files=tuple(file.name for file in files))
        return record(self._means, self._watch.show, saved, State.SAVED)

    async def _on_disk(self) -> Video | None:
        entry = await self._call(self._means.journal.saved, self._fingerprint)
        return await self._call(self._intact, entry) if entry else None

    def _intact(self, entry: Entry) -> Video | None:
        paths = self._paths(entry)
        if all(is_intact(path) for path in paths):
            return Video(entry.request_id, paths, entry.cost, reused=True)
        return None

    def _paths(self, entry: Entry) -> tuple[Path, ...]:
        return tuple(self._means.folder / name for name in entry.files)

    def _release(self) -> None:
        """Not before a submission under way has ended: its job must not be bought by the next run as well."""
        if self._submission:
            self._submission.when_over(self._turn.give_back)
        else:
            self._turn.give_back()

    async def _settle(self, may_cancel: bool) -> Settled:
        if self._submission:
            await self._submission.over()
        return await settle(self._means, self._watch, self._entry(), may_cancel=may_cancel)

    def _entry(self) -> Entry | None:
        """The job as far as this run knows it."""
        found = self._follower.entry if self._follower else self._found
        return self._submission.entry if found is None and self._submission else found

    async def _call(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await self._watch.result(self._means.workers.record(work, *args, **options))
