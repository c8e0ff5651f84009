"""One run for one video: its steps, of which `decide` says which is next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, ParamSpec, TypeVar

from ..runcomfy.errors import ConnectError, NotFound, PermissionDenied, RateLimited, RunComfyError, TransientError
from ..runcomfy.request import GenerationRequest
from ..runcomfy.responses import JobState
from .cancellation import Cancellation
from .decide import Action, Disk, Do, Situation, decide
from .download import download_videos
from .errors import JobExpired, JobFailed, JournalUnusable, OutcomeUnknown, VideoUnreadable, error_of
from .events import Notice, Retrying, Submitting
from .job_files import disk_state, files_of, paths_of
from .poll import Poller
from .records import JobRecord, RequestKey
from .retry import Backoff
from .run import Run
from .services import Services, Video
from .states import TRANSITIONS, State
from .submit import SubmitCall

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_ATTEMPTS: Final = 5
WATCH_SECONDS: Final = 0.5
"""Between two looks at a job that another run is at work on."""


class JobRun:
    """Brings one video, and knows at any time which job that is."""

    def __init__(self, services: Services, run: Run) -> None:
        self._services = services
        self._run = run
        self.cancellation = Cancellation(services.clock, run.report, run.is_stopped)
        self.owner = services.claims.join(run.is_stopped)
        self._started = services.clock.monotonic()
        self._backoff = Backoff(services.random)
        self._connect_failures = 0
        self._awaited = 0
        self._claimed: JobRecord | None = None
        self._poller: Poller | None = None
        self.submit_call = SubmitCall(services, run.report, self.owner, lambda: not self.cancellation.is_cancelled())
        self._not_ours: set[int] = set()
        self._rechecked: set[int] = set()

    async def run(self, request: GenerationRequest, reuse: bool) -> Video:
        """As `JobRunner.run`; raises `StopRequested` on Stop."""
        services = self._services
        key = RequestKey.of(request, model=services.client.model, account=services.account, origin=services.origin)
        run = "" if reuse else self._run.key
        while True:
            records, action = await self._call(self._decide, key, run)
            if action.record is None:
                video = await self._submit(records, key, run, request)
            else:
                video = await self._do(action.do, action.record, key.account, run)
            if video:
                return video

    async def resume(self, request_id: str) -> Video:
        """As `JobRunner.resume`; raises `StopRequested` on Stop."""
        while True:
            if files := await self._call(files_of, request_id, self._services.folder):
                return Video(request_id, files, reused=True)
            record = await self._call(self._services.journal.job, request_id)
            if record is None or record.state is State.FAILED:
                unknown = RequestKey("", "", self._services.origin)
                record = JobRecord(0, "", unknown, "", State.ACCEPTED, record.request if record else None, request_id)
            claimed = await self._call(self._services.claims.take, record, self.owner)
            if claimed is None:
                await self._wait_for(record)
            elif video := await self._bring(claimed, fresh=False):
                return video

    @property
    def record(self) -> JobRecord | None:
        """The job as far as this run knows it."""
        return self._poller.record if self._poller else self._claimed or self.submit_call.record

    def close(self) -> None:
        """Free what was claimed."""
        self._services.claims.leave(self.owner)
        with suppress(RuntimeError):  # the engine was closed meanwhile: what is claimed lapses
            self._services.executors.journal.submit(self._services.claims.give_back, self.owner)

    def _decide(self, key: RequestKey, run: str) -> tuple[list[JobRecord], Action]:
        """The request's records, and what to do by them. Blocks."""
        services, records = self._services, self._services.journal.of_request(key)
        busy = frozenset(record.id for record in records if not services.claims.is_free(record))
        situation = Situation(
            services.journal.now(),
            run,
            disk={record.id: disk_state(record, services.folder) for record in records},
            busy=busy,
            unread=services.unread.of(records, self._run, busy | {self._awaited}),
            not_ours=frozenset(self._not_ours),
            rechecked=frozenset(self._rechecked),
        )
        return records, decide(records, situation)

    async def _do(self, do: Do, record: JobRecord, account: str, run: str) -> Video | None:
        """Do what was decided about a record; None where it has to be decided again."""
        if do is Do.LOAD:
            return await self._call(self._load, record)
        if do is Do.RESUME:
            return await self._resume(record, account, run)
        if do is Do.WAIT:
            await self._wait_for(record)
        elif do is Do.GIVE_UP_SUBMIT:
            await self._call(self._services.journal.transition, record, State.UNKNOWN)
        elif do is Do.RECHECK:
            await self._recheck(record)
        elif do is Do.RAISE_UNREADABLE:
            raise VideoUnreadable(paths_of(record, self._services.folder)[0], record.request_id)
        elif do is Do.REPORT:
            await self.raise_end(record)
        return None

    def _load(self, record: JobRecord) -> Video:
        """A job's files, whatever its record said of them so far. Blocks."""
        paths = paths_of(record, self._services.folder)
        if record.state is not State.SAVED and State.SAVED in TRANSITIONS[record.state]:
            files = tuple(path.name for path in paths)
            self._services.transition(self.cancellation.report, record, State.SAVED, files=files)
        return Video(record.request_id, paths, record.cost, reused=True)

    async def _submit(
        self, seen: list[JobRecord], key: RequestKey, run: str, request: GenerationRequest
    ) -> Video | None:
        """Buy the video, unless others have written about the request meanwhile."""
        await self._call(self._services.check_before_submit)
        self.cancellation.report(Submitting())
        try:
            record = await self.cancellation.wait_for(self.submit_call.start(seen, key, run, request))
        except (RateLimited, ConnectError) as error:
            await self._pause_before_retry(error)
            return None
        except RunComfyError:
            record = self.submit_call.record
            if record is None or record.state is not State.UNKNOWN:
                raise
        if record is None or record.state is State.CANCELLED:
            return None
        if record.state is State.UNKNOWN:
            await self.raise_end(record)
        return await self._bring(record, fresh=True)

    async def _pause_before_retry(self, error: TransientError) -> None:
        pause = self._backoff.pause(error.retry_after)
        self._connect_failures += isinstance(error, ConnectError)
        waited = self._services.clock.monotonic() - self._started
        if self._connect_failures >= CONNECT_ATTEMPTS or waited + pause > self._services.deadline:
            raise error
        self.cancellation.report(Retrying(f"{error.message} Nothing was charged.", pause))
        await self.cancellation.sleep(pause)

    async def _resume(self, record: JobRecord, account: str, run: str) -> Video | None:
        claimed = await self._call(self._services.claims.take, record, self.owner, run)
        try:
            return await self._bring(claimed, fresh=False) if claimed else None
        except PermissionDenied:
            if record.key.account == account:
                raise
            # The service itself says that it is another account's, which buys its own.
            self._not_ours.add(record.id)
            self._claimed = self._poller = None
            await self._call(self._services.claims.give_back, self.owner)
            return None

    async def _bring(self, record: JobRecord, *, fresh: bool) -> Video | None:
        """Poll and download a job that this run has claimed; None where its files are on disk after all."""
        self._claimed, self._poller, folder = record, None, self._services.folder
        # A job of elsewhere is scheduled as one of the default size and length.
        request = record.request or GenerationRequest("(unknown)")
        try:
            history = await self._call(self._services.journal.durations, request)
        except JournalUnusable:
            history = []  # the job is paid for; it goes on without
        schedule = self._services.schedule(request, history)
        poller = self._poller = Poller(self._services, self.cancellation, record, schedule, fresh=fresh)
        try:
            ended = record.state in (State.SUCCEEDED, State.SAVED)
            result = await (poller.result() if ended else poller.wait())
            record = await download_videos(self._services, self.cancellation, poller, result)
        except (JobFailed, JobExpired) as error:
            # Its video may have arrived before that could be written down.
            if isinstance(error, JobExpired) and await self._call(disk_state, poller.record, folder) is Disk.WHOLE:
                return None
            self._services.unread.raised(poller.record, self._run)
            raise
        elapsed = self._services.clock.monotonic() - self._started
        return Video(record.request_id, paths_of(record, folder), record.cost, elapsed, price=record.price)

    async def _wait_for(self, record: JobRecord) -> None:
        """Watch what another run makes of a job."""
        if record.id != self._awaited:
            await self._call(self._services.claims.await_job, record, self.owner)
            self._awaited = record.id
        line = "The same video is being generated already; waiting for it"
        if record.state is State.INTENDED:
            left = max(0.0, record.submit_until - self._services.journal.now())
            line = f"Another run is submitting the same video; its outcome is known in {left:.0f} s at the latest"
        self.cancellation.report(Notice(line))
        await self.cancellation.sleep(WATCH_SECONDS)

    async def _recheck(self, record: JobRecord) -> None:
        """Ask once about a job that counts as cancelled or deleted, before its request is bought again."""
        try:
            found = await self._call(self._services.rate_limiter.call, self._services.client.status, record.request_id)
        except (NotFound, PermissionDenied):
            self._rechecked.add(record.id)
        except TransientError as error:
            await self._pause_before_retry(error)
        else:
            self._rechecked.add(record.id)
            if found.state is not JobState.CANCELLED:
                await self._call(self._services.journal.transition, record, State.ACCEPTED)

    async def raise_end(self, record: JobRecord) -> None:
        """Raise how a job ended. An unclear outcome counts as reported only where somebody can read it."""
        error = error_of(record, is_read=self._run.is_read)
        if isinstance(error, OutcomeUnknown):
            # Shown before it is written down: a crash in between reports it twice, never not at all.
            self._run.report(Notice(str(error)))
            if not self._run.is_read:
                raise error
            write = partial(self._services.transition, reported_by=self._services.unread.server)
            args = (self._run.report, record, State.UNKNOWN_REPORTED)
            writing = self._services.executors.journal.submit(write, *args)
            try:
                record = await self.cancellation.finish(writing)
            except asyncio.CancelledError:
                self._services.unread.not_read(record)
                raise
        self._services.unread.raised(record, self._run)
        raise error

    async def _call(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await self.cancellation.wait_for(self._services.executors.calls.submit(work, *args, **options))
