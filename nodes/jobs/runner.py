"""From a request to its video, exactly once: decide by what the journal says, do that, and decide again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..runcomfy.errors import ConnectError, PermissionDenied, RateLimited, RunComfyError, TransientError
from ..runcomfy.request import GenerationRequest
from ..texts import Text
from . import events
from .budget import PRICE_SECONDS, Purchase, base_price, estimate
from .decide import Action, Do, Situation, decide
from .download import download_videos, whole_files
from .errors import JobError, JobExpired, JobFailed, JournalUnusable, NoFreePlace
from .job import NO_JOB, Account, Job, Video
from .poll import ClaimLost, Poller, PollSchedule, is_still_there
from .records import TRANSITIONS, JobRecord, Order, RequestKey, State
from .stop import run_stoppable
from .submit import submit
from .video_files import VideoFolder
from .waiting import TICK, Backoff, Run

CONNECT_ATTEMPTS: Final = 5
WATCH_SECONDS: Final = 0.5
"""Between two looks at a job that another run is at work on."""
PLACE_SECONDS: Final = 1.0
"""Between two looks whether there is a free place."""


class JobRunner(Job):
    """The job of one run, and the steps that bring its video. To be used once."""

    def __init__(self, account: Account, run: Run) -> None:
        super().__init__(account, run)
        self._started = self._tried_since = account.clock.monotonic()
        self._backoff = Backoff(account.random)
        self._connect_failures = 0
        self._is_prechecked = False
        self._awaited_id = 0
        self._seen: list[JobRecord]
        """The request's records, as they were at the latest decision."""
        self._videos: VideoFolder
        """The output folder as it was then."""
        self._not_ours: set[int] = set()
        self._rechecked: set[int] = set()

    async def generate(self, request: GenerationRequest, *, reuse: bool) -> Video:
        """The video of a request: from disk, from an earlier job, or bought. With ``reuse`` any finished video of the
        request will do, rather than one new video per run.

        Raises `SeedanceError`, which says whether anything was charged, or `Stopped`.
        """
        account = self.account
        key = RequestKey.of(request, account=account.name, origin=account.origin)
        order = Order(request, key, "" if reuse else self.run.key)
        return await run_stoppable(self, self._generate(order), may_cancel=True)

    async def fetch(self, request_id: str) -> Video:
        """The video of a job that was submitted before, here or elsewhere; waits for it if need be.

        Raises as `generate` does. Stop leaves the job alone.
        """
        return await run_stoppable(self, self._fetch(request_id), may_cancel=False)

    async def _generate(self, order: Order) -> Video:
        while True:
            action = await self.call(self._decide, order)
            if video := await self._do(action, order):
                return video

    async def _fetch(self, request_id: str) -> Video:
        journal, claims = self.account.journal, self.account.claims
        while True:
            if files := await self.call(whole_files, request_id, self.account.folder, journal):
                return Video(request_id, files, reused=True)
            record = await self.call(journal.job, request_id)
            if record is None or record.state is State.FAILED:
                request = record.request if record else None
                record = replace(NO_JOB, state=State.ACCEPTED, request=request, request_id=request_id)
            claimed = await self.call(claims.acquire, record, self.owner)
            if claimed is None:
                await self._watch_other_run(record)
            elif video := await self._poll_and_download(claimed, fresh=False):
                return video

    def _decide(self, order: Order) -> Action:
        """What to do by the request's records. Blocks."""
        account, run_key = self.account, order.run_key
        records = self._seen = account.journal.of_request(order.key)
        busy = frozenset(record.id for record in records if not account.claims.is_free(record))
        self._videos = VideoFolder(account.folder)
        situation = Situation(
            account.journal.now(),
            run_key,
            disk={record.id: self._videos.locate(record)[0] for record in records if run_key in ("", record.run)},
            busy=busy,
            unread=account.reports.unread(records, self.run.prompt_id, busy | {self._awaited_id}),
            not_ours=frozenset(self._not_ours),
            rechecked=frozenset(self._rechecked),
        )
        return decide(records, situation)

    async def _do(self, action: Action, order: Order) -> Video | None:
        """Do what was decided; None where it has to be decided again."""
        do, record = action.do, action.record
        if record is None:
            return await self._submit(order)
        if do is Do.LOAD:
            return await self.call(self._load, record)
        if do is Do.RESUME:
            return await self._resume(record, order)
        if do is Do.WAIT:
            await self._watch_other_run(record)
        elif do is Do.GIVE_UP_SUBMIT:
            await self.call(self.account.journal.transition, record, State.UNKNOWN)
        elif do is Do.RECHECK:
            await self._recheck(record)
        elif do is Do.RAISE_UNREADABLE:
            _, paths = await self.call(self._videos.locate, record)
            raise JobError("videoUnreadable", request_id=record.request_id, file=str(paths[0]))
        elif do is Do.REPORT:
            await self.raise_end(record)
        return None

    def _load(self, record: JobRecord) -> Video:
        """A job's files, whatever its record said of them so far. Blocks."""
        _, paths = self._videos.locate(record)
        if record.state is not State.SAVED and State.SAVED in TRANSITIONS[record.state]:
            self.move(record, State.SAVED, files=tuple(path.name for path in paths))
        return Video(record.request_id, paths, record.cost, reused=True)

    async def _submit(self, order: Order) -> Video | None:
        """Buy the video, unless others have written about the request meanwhile."""
        run = self.run
        if not self._is_prechecked:
            await self.call(self.account.check_before_submit)
            self._is_prechecked = True
        purchase = await self._purchase(order.request)
        run.report(events.submitting())
        self.submit_call = self.account.executors.calls.submit(submit, self, order, self._seen, purchase)
        try:
            if not await run.wait_for(self.submit_call):
                return None
        except NoFreePlace as full:
            run.report(events.notice(Text("waitingForPlace", place=full.place)))
            await run.sleep(PLACE_SECONDS)
            self._tried_since = self.account.clock.monotonic()  # waiting in line does not use up the time for retries
            return None
        except (RateLimited, ConnectError) as error:
            await self._pause_before_retry(error)
            return None
        except RunComfyError:
            if self.record.state is not State.UNKNOWN:
                raise
        if self.record.state is State.UNKNOWN:
            await self.raise_end(self.record)
        return None if self.record.state is State.CANCELLED else await self._poll_and_download(self.record, fresh=True)

    async def _purchase(self, request: GenerationRequest) -> Purchase:
        """By which it is bought; waits a moment for the list price where nothing else tells the cost."""
        account, price = self.account, self.account.price
        limit = await self.call(account.limit)
        costs = await self.call(account.journal.costs, request)
        ends = account.clock.monotonic() + PRICE_SECONDS
        while limit.amount and not costs and not price.answer().done() and account.clock.monotonic() < ends:
            await self.run.sleep(TICK)
        return Purchase(estimate(costs, base_price(price.known(), request.duration)), limit, account.max_jobs)

    async def _pause_before_retry(self, error: TransientError) -> None:
        pause = self._backoff.pause(error.retry_after)
        self._connect_failures += isinstance(error, ConnectError)
        waited = self.account.clock.monotonic() - self._tried_since
        if self._connect_failures >= CONNECT_ATTEMPTS or waited + pause > self.account.deadline:
            raise error
        self.run.report(events.retrying(Text("notices.notCharged", problem=error.message), pause))
        await self.run.sleep(pause)

    async def _resume(self, record: JobRecord, order: Order) -> Video | None:
        claims, owner = self.account.claims, self.owner
        claimed = await self.call(claims.acquire, record, owner, order.run_key)
        try:
            return await self._poll_and_download(claimed, fresh=False) if claimed else None
        except PermissionDenied:
            if record.key.account == order.key.account:
                raise
            # The service says that the job is another account's, so this account buys its own.
            self._not_ours.add(record.id)
            self.record = NO_JOB
            await self.call(claims.release, owner)
            return None

    async def _poll_and_download(self, record: JobRecord, *, fresh: bool) -> Video | None:
        """Poll and download a job that this run has claimed; None where that has to be decided again."""
        account, self.record = self.account, record
        # A job whose request is unknown is polled like one of the default size and length.
        request = record.request or GenerationRequest("(unknown)")
        try:
            history = await self.call(account.journal.durations, request)
        except JournalUnusable:
            history = []  # the job is paid for; it goes on without
        schedule = PollSchedule.from_history(request, [*account.durations, *history])
        poller = Poller(self, schedule, fresh=fresh)
        try:
            paths = await download_videos(self, poller, await poller.wait())
        except ClaimLost:
            return None
        except (JobFailed, JobExpired):
            # Its video may have arrived before that could be written down.
            arrived = await self.call(whole_files, record.request_id, account.folder, account.journal)
            if self.record.state is State.EXPIRED and arrived:
                return None
            self.note_end(self.record)
            raise
        record, elapsed = self.record, account.clock.monotonic() - self._started
        return Video(record.request_id, paths, record.cost, elapsed, price=record.price)

    async def _watch_other_run(self, record: JobRecord) -> None:
        if record.id != self._awaited_id:
            await self.call(self.account.claims.await_job, record, self.owner)
            self._awaited_id = record.id
        line = Text("notices.awaited")
        if record.state is State.INTENDED:
            left = max(0.0, record.submit_until - self.account.journal.now())
            line = Text("notices.awaitedSubmit", seconds=f"{left:.0f}")
        self.run.report(events.notice(line))
        await self.run.sleep(WATCH_SECONDS)

    async def _recheck(self, record: JobRecord) -> None:
        """Ask once about a job that counts as cancelled or deleted, before its request is bought again."""
        try:
            is_there = await self.call(is_still_there, self.account, record.request_id)
        except TransientError as error:
            await self._pause_before_retry(error)
            return
        self._rechecked.add(record.id)
        if is_there:
            await self.call(self.account.journal.transition, record, State.ACCEPTED)
