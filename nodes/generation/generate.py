"""From a request to its video, exactly once: what is done is decided by what the journal says was done before."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from ..runcomfy.errors import RunComfyError
from ..runcomfy.replies import CancelOutcome
from ..runcomfy.request import GenerationRequest
from .collect import collect, file_names, is_intact
from .errors import JournalUnusable, Stopped
from .events import EventSink, Notice
from .follow import Follower
from .journal import Entry
from .means import Means, Video, record
from .states import State
from .submit import Submission, tell_unknown
from .watch import StopSeen, Watch, settled

P = ParamSpec("P")
T = TypeVar("T")

CANCEL_PATIENCE: Final = 4.0
"""Seconds that Stop gives the service to cancel a job."""
LEASE_INTERVAL: Final = 0.5
"""Seconds between two looks at a lease that another run has."""


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
        parts = "\0".join((self._means.account, self._means.client.model, request.canonical()))
        return hashlib.sha256(parts.encode()).hexdigest()


class _Run:
    """One pass through `Generator.generate` or `Generator.fetch`."""

    def __init__(self, means: Means, watch: Watch, fingerprint: str) -> None:
        self._means = means
        self._watch = watch
        self._fingerprint = fingerprint
        self._started = means.clock.monotonic()
        self._leased = False
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
                raise Stopped(await asyncio.shield(settling)) from None
            except asyncio.CancelledError:
                # Another node has stopped already, at which ComfyUI ends all others; this job's fate is still told.
                events(Notice(await settling))
                raise
        except asyncio.CancelledError:
            # A failed sibling node, which is no reason to give up a paid job; or Stop, seen by somebody else first.
            if self._watch.stop():
                events(Notice(await self._settle(may_cancel)))
            raise
        finally:
            self._release()

    async def generate(self, request: GenerationRequest, reuse: bool) -> Video:
        journal = self._means.journal
        if reuse and (video := await self._on_disk()):
            return video
        await self._lease()
        if reuse and (video := await self._on_disk()):
            return video
        entry = await self._call(journal.unfinished, self._fingerprint)
        if entry is None and reuse:
            entry = await self._call(journal.saved, self._fingerprint)
        if entry is None:
            return await self._buy(request)
        if entry.state is State.INTENDED:
            # Its writer is dead, or this run would not have the lease.
            entry = await self._call(journal.move, entry, State.UNKNOWN, self._means.clock.wall())
        if entry.state is State.UNKNOWN:
            raise await self._call(tell_unknown, self._means, self._watch, entry)
        return await self._bring(entry, fresh=False)

    async def fetch(self, request_id: str) -> Video:
        names = file_names(request_id, 1)
        try:
            known = await self._call(self._means.journal.job, request_id)
        except JournalUnusable:
            known = None  # that must not hide a finished file
        entry = known or Entry(0, self._fingerprint, State.ACCEPTED, None, request_id)
        if video := self._intact(replace(entry, files=entry.files or names)):
            return video
        self._fingerprint = entry.fingerprint
        await self._lease()
        if entry.state not in (State.ACCEPTED, State.SUCCEEDED, State.SAVED):
            entry = replace(entry, id=0, state=State.ACCEPTED)
        return await self._bring(entry, fresh=False)

    async def _buy(self, request: GenerationRequest) -> Video:
        self._submission = Submission(self._means, self._watch, request, self._fingerprint)
        return await self._bring(await self._submission.accepted(), fresh=True)

    async def _bring(self, entry: Entry, *, fresh: bool) -> Video:
        self._found = entry
        request = entry.request or GenerationRequest("(unknown)")
        try:
            history = await self._call(self._means.journal.durations, request)
        except JournalUnusable:
            history = []  # the job is paid for; it goes on without
        schedule = self._means.schedule(request, history)
        self._follower = Follower(self._means, self._watch, entry, schedule, fresh=fresh)
        if entry.state is State.ACCEPTED:
            result = await self._follower.end()
        else:
            result = await self._follower.result()
        entry = await collect(self._means, self._watch, self._follower, result)
        elapsed = self._means.clock.monotonic() - self._started
        return Video(entry.request_id, self._paths(entry), entry.cost, elapsed)

    async def _on_disk(self) -> Video | None:
        entry = await self._call(self._means.journal.saved, self._fingerprint)
        return self._intact(entry) if entry else None

    def _intact(self, entry: Entry) -> Video | None:
        paths = self._paths(entry)
        if all(is_intact(path) for path in paths):
            return Video(entry.request_id, paths, entry.cost, reused=True)
        return None

    def _paths(self, entry: Entry) -> tuple[Path, ...]:
        return tuple(self._means.folder / name for name in entry.files)

    async def _lease(self) -> None:
        while not await self._take_lease():
            self._watch.show(Notice("The same video is being generated already; waiting for it"))
            await self._watch.pause(LEASE_INTERVAL)
        self._leased = True

    async def _take_lease(self) -> bool:
        taking = self._means.workers.call(self._means.leases.take, self._fingerprint)
        try:
            return await self._watch.result(taking)
        except (StopSeen, asyncio.CancelledError):
            taking.add_done_callback(self._give_back)
            raise

    def _give_back(self, taking: Future[bool]) -> None:
        """A lease that was taken after the run that wanted it was cut off."""
        if not taking.cancelled() and not taking.exception() and taking.result():
            self._means.leases.release(self._fingerprint)

    def _release(self) -> None:
        if not self._leased:
            return
        if self._submission:
            self._submission.when_over(self._release_now)
        else:
            self._release_now()

    def _release_now(self) -> None:
        self._means.workers.call(self._means.leases.release, self._fingerprint)

    async def _settle(self, may_cancel: bool) -> str:
        """After Stop: take the job back where that is possible, and say what became of it."""
        entry = self._follower.entry if self._follower else self._found
        if entry is None and self._submission:
            entry = await self._submission.after_stop()
        if entry is None or entry.state is State.REFUSED:
            return "Stopped before anything was submitted. Nothing was charged."
        if entry.state is State.ACCEPTED:
            return await self._cancel(entry) if may_cancel else f"Stopped waiting. Job {entry.request_id} goes on."
        if entry.state in (State.SUCCEEDED, State.SAVED):
            return (
                "Stopped. The video is finished and paid for; run the same graph again to get it without a new charge."
            )
        return (
            "Stopped while the request was being submitted. It may have been charged. Run the same graph again: it "
            "finds the job, or says where to look for it."
        )

    async def _cancel(self, entry: Entry) -> str:
        job = f"Stopped. Job {entry.request_id}"
        later = "It may be charged; run the same graph again to collect its video without a new charge."
        call = self._means.workers.call(self._means.client.cancel, entry.request_id)
        if not await settled(call, CANCEL_PATIENCE):
            return f"{job} could not be cancelled in time. {later}"
        error = call.exception()
        if isinstance(error, RunComfyError):
            return f"{job} could not be cancelled: {error.what} {later}"
        if call.result() is CancelOutcome.NOT_CANCELLABLE:
            return (
                f"{job} is running already and will be charged; run the same graph again to collect its video "
                "without a new charge."
            )
        moving = self._means.workers.call(record, self._means, self._watch.show, entry, State.CANCELLED)
        await settled(moving, CANCEL_PATIENCE)
        return f"{job} was still queued and is cancelled. Nothing was charged."

    async def _call(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await self._watch.result(self._means.workers.call(work, *args, **options))
