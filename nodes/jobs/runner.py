"""From a request to its video, exactly once: what is done is decided by what the journal says was done before."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from ..errors import Charge
from ..runcomfy.errors import PermissionDenied, RunComfyError
from ..runcomfy.request import GenerationRequest
from .cancel import stop_job, stop_report
from .cancellation import Cancellation, StopRequested
from .download import collect, files_of, is_intact
from .errors import JobExpired, JobFailed, JournalUnusable, Stopped
from .events import EventSink, StopReport
from .journal import JobRecord
from .poll import Poller
from .request_lock import RequestLock
from .services import Services, Video, record
from .states import State
from .submit import SubmitCall, report_unknown, unknown

P = ParamSpec("P")
T = TypeVar("T")


class JobRunner:
    """Generates, and finds again, the videos of one account."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def generate(
        self, request: GenerationRequest, *, events: EventSink, stop: Callable[[], bool], reuse: bool = True
    ) -> Video:
        """The video of a request: from disk, from an earlier job, or bought.

        Args:
            events: shown to the user.
            stop: whether Stop is pressed; looked at every tenth of a second.
            reuse: whether a finished video of the same request will do. An unfinished job always will.

        Raises:
            RunComfyError, JobError: no video; the message says whether anything was charged.
            Stopped: the user pressed Stop; says what became of the job.
        """
        fingerprint = self._fingerprint(request)
        run = _Run(self._services, Cancellation(self._services.clock, events, stop), fingerprint)
        return await run.guarded(run.generate(request, reuse), events, may_cancel=True)

    async def fetch(self, request_id: str, *, events: EventSink, stop: Callable[[], bool]) -> Video:
        """The video of a job that was submitted before, here or elsewhere; waits for it if need be.

        Raises as `generate` does. Stop leaves the job alone.
        """
        run = _Run(self._services, Cancellation(self._services.clock, events, stop), f"job {request_id}")
        return await run.guarded(run.fetch(request_id), events, may_cancel=False)

    def _fingerprint(self, request: GenerationRequest) -> str:
        """Equal for equal requests of one account to one model."""
        return f"{_hash(self._services.client.model, request.canonical())}.{_account(self._services)}"


def _account(services: Services) -> str:
    """The half of a fingerprint that stands for the account."""
    return _hash(services.account)[:16]


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class _Run:
    """One pass through `JobRunner.generate` or `JobRunner.fetch`."""

    def __init__(self, services: Services, cancellation: Cancellation, fingerprint: str) -> None:
        self._services = services
        self._cancellation = cancellation
        self._fingerprint = fingerprint
        self._started = services.clock.monotonic()
        self._lock = RequestLock(services, cancellation)
        self._found: JobRecord | None = None
        self._submit_call: SubmitCall | None = None
        self._poller: Poller | None = None

    async def guarded(self, work: Coroutine[None, None, Video], events: EventSink, *, may_cancel: bool) -> Video:
        """Do ``work``; however it ends, tell the truth about the job and give the lease back."""
        try:
            return await work
        except StopRequested:
            settling = asyncio.ensure_future(self._stop_job(may_cancel))
            try:
                settled = await asyncio.shield(settling)
            except asyncio.CancelledError:
                # Another node has stopped already, at which ComfyUI ends all others; this job's outcome is still told.
                events(await settling)
                raise
            raise Stopped(str(settled), settled.outcome) from None
        except asyncio.CancelledError:
            # A failed sibling node, which is no reason to give up a paid job; or Stop, seen by somebody else first.
            if self._cancellation.stop():
                events(await self._stop_job(may_cancel))
            else:
                if self._submit_call:
                    self._submit_call.cancel()
                events(stop_report(self._entry(), "Another node ended this run"))
            raise
        finally:
            self._release()

    async def generate(self, request: GenerationRequest, reuse: bool) -> Video:
        journal = self._services.journal
        if reuse and (video := await self._on_disk()):
            return video
        before = await self._call(journal.newest, self._fingerprint)
        waited = await self._lock.acquire(self._fingerprint)
        if reuse and (video := await self._on_disk()):
            return video
        if waited and (newest := await self._call(journal.newest, self._fingerprint)) and newest != before:
            # The run that this one waited for has ended badly, of which the user cannot have read before this began.
            if newest.state is State.UNKNOWN_REPORTED:
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
            entry = await self._call(journal.transition, entry, State.UNKNOWN, self._services.clock.wall())
        if entry.state is State.UNKNOWN:
            raise await self._call(report_unknown, self._services, self._cancellation, entry)
        return await self._bring(entry, fresh=False)

    async def fetch(self, request_id: str) -> Video:
        if files := await self._call(files_of, request_id, self._services.folder):
            return Video(request_id, files, reused=True)
        known = await self._call(self._services.journal.job, request_id)
        if known:
            self._fingerprint = known.fingerprint
        await self._lock.acquire(self._fingerprint)
        # Whoever had the lease before may have moved it on.
        entry = await self._call(self._services.journal.job, request_id)
        if entry is None or entry.state not in (State.ACCEPTED, State.SUCCEEDED, State.SAVED):
            entry = JobRecord(0, self._fingerprint, State.ACCEPTED, None, request_id)
        try:
            return await self._bring(entry, fresh=False)
        except RunComfyError as error:
            if not entry.id:
                # Not a job that is known to be ours; and asking is free.
                error.charge = Charge.NOTHING
            raise

    async def _adopted(self, reuse: bool) -> Video | None:
        """The video of the same request with another token, which may be a new one of the same account."""
        entry = await self._call(self._services.journal.of_other_token, self._fingerprint, finished=reuse)
        if entry is None:
            return None
        if reuse and (files := await self._call(files_of, entry.request_id, self._services.folder)):
            return Video(entry.request_id, files, entry.cost, reused=True)
        try:
            return await self._bring(entry, fresh=False)
        except (PermissionDenied, JobExpired):
            self._found = self._poller = None
            return None

    async def _buy(self, request: GenerationRequest) -> Video:
        self._submit_call = SubmitCall(self._services, self._cancellation, request, self._fingerprint)
        return await self._bring(await self._submit_call.run(), fresh=True)

    async def _bring(self, entry: JobRecord, *, fresh: bool) -> Video:
        self._found = entry
        # A job from elsewhere is scheduled as one of the default size and length.
        request = entry.request or GenerationRequest("(unknown)")
        try:
            history = await self._call(self._services.journal.durations, request)
        except JournalUnusable:
            history = []  # the job is paid for; it goes on without
        schedule = self._services.schedule(request, history)
        self._poller = Poller(self._services, self._cancellation, entry, schedule, fresh=fresh)
        try:
            if entry.state is State.ACCEPTED:
                result = await self._poller.wait()
            else:
                result = await self._poller.result()
            entry = await collect(self._services, self._cancellation, self._poller, result)
        except JobExpired:
            entry = await self._call(self._left_on_disk, self._poller.entry)
            if entry.state is State.EXPIRED:
                raise
        elapsed = self._services.clock.monotonic() - self._started
        return Video(entry.request_id, self._paths(entry), entry.cost, elapsed, price=entry.price)

    def _left_on_disk(self, entry: JobRecord) -> JobRecord:
        """A job that the service has forgotten; its video may have arrived before that could be written down."""
        files = files_of(entry.request_id, self._services.folder)
        if not files:
            # Another account's job, or another service's, is only unknown here.
            ours = entry.fingerprint.endswith(f".{_account(self._services)}")
            forgotten = replace(entry, id=entry.id if ours else 0)
            return record(self._services, self._cancellation.report, forgotten, State.EXPIRED)
        if entry.state is State.ACCEPTED:
            entry = record(self._services, self._cancellation.report, entry, State.SUCCEEDED)
        saved = replace(entry, files=tuple(file.name for file in files))
        return record(self._services, self._cancellation.report, saved, State.SAVED)

    async def _on_disk(self) -> Video | None:
        entry = await self._call(self._services.journal.saved, self._fingerprint)
        return await self._call(self._intact, entry) if entry else None

    def _intact(self, entry: JobRecord) -> Video | None:
        paths = self._paths(entry)
        if all(is_intact(path) for path in paths):
            return Video(entry.request_id, paths, entry.cost, reused=True)
        return None

    def _paths(self, entry: JobRecord) -> tuple[Path, ...]:
        return tuple(self._services.folder / name for name in entry.files)

    def _release(self) -> None:
        """Not before a submission under way has ended: its job must not be bought by the next run as well."""
        if self._submit_call:
            self._submit_call.on_done(self._lock.release)
        else:
            self._lock.release()

    async def _stop_job(self, may_cancel: bool) -> StopReport:
        if self._submit_call:
            await self._submit_call.wait()
        return await stop_job(self._services, self._cancellation, self._entry(), may_cancel=may_cancel)

    def _entry(self) -> JobRecord | None:
        """The job as far as this run knows it."""
        found = self._poller.entry if self._poller else self._found
        return self._submit_call.entry if found is None and self._submit_call else found

    async def _call(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await self._cancellation.wait_for(self._services.executors.record(work, *args, **options))
