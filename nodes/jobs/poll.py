"""Polls an accepted job until it ends. No failed read stops that: only the job's end, a refusal or the deadline."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

from ..errors import Charge
from ..runcomfy.errors import NotFound, PermissionDenied, TransientError
from ..runcomfy.request import GenerationRequest
from ..runcomfy.responses import JobResult, JobState, JobStatus
from ..texts import Text
from . import events
from .errors import JobError, JobExpired, JobFailed, JournalUnusable, VideoUnavailable
from .events import Event
from .job import Account, Job
from .records import TRANSITIONS, State
from .video_files import file_names
from .waiting import Backoff

T = TypeVar("T")

NOT_FOUND_SECONDS: Final = 60.0
NOT_FOUND_READS: Final = 3
"""How long and how often at least the service must say that it does not have a job before that is believed."""
FIRST_POLL: Final = 1.0
"""Seconds after acceptance."""
SHORTEST_POLL: Final = 0.4
LONGEST_POLL: Final = 10.0
"""Seconds between two looks at a job, however soon it is due, and however far off its end is."""
ENOUGH_HISTORY: Final = 3
"""Known durations of jobs that it takes to go by them."""

_SECONDS_FOR_TEN: Final = {"480p": 50.0, "720p": 65.0, "1080p": 100.0}
"""Seconds from acceptance to the end, for ten seconds of video. Source: the typical times that RunComfy publishes."""
_STILL_AT_WORK: Final = (JobState.QUEUED, JobState.RUNNING, JobState.UNKNOWN)
_BAD_ENDS: Final = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class PollSchedule:
    """When to look at a job again: seldom before it can be ready, often when it is due.

    For a given number of looks, the delay is least if their rate grows with the square root of how likely the job is to
    end just then. For jobs that take the expected time, give or take a quarter, a power of their age comes as near to
    that as `benchmarks/polling.py` can show.
    """

    expected: float
    """Seconds from acceptance to the end, median."""

    @classmethod
    def from_history(cls, request: GenerationRequest, history: Sequence[float]) -> PollSchedule:
        """From the durations of earlier jobs of the same size and length, else from the documented times."""
        if len(history) < ENOUGH_HISTORY:
            return cls(_SECONDS_FOR_TEN[request.resolution] * request.duration / 10)
        return cls(max(statistics.median(history), 0.1))

    def delay(self, elapsed: float) -> float:
        """Seconds to wait for the next look, ``elapsed`` seconds after acceptance."""
        if elapsed < FIRST_POLL:
            return FIRST_POLL
        early = self.expected / elapsed
        # Past the time that the user was told, every second counts more.
        pause = math.sqrt(elapsed) * (0.105 * early**2.3 if early > 1 else 0.05)
        # Never longer than the time gone by: the guess may be wrong, and the first looks show the queue.
        return max(SHORTEST_POLL, min(pause, elapsed, LONGEST_POLL))


class ClaimLost(Exception):
    """The machine has slept, and another run has taken the job over."""


class Poller:
    """Polls the job that a run has claimed; a ``fresh`` one was accepted just now, so its duration can be measured."""

    def __init__(self, job: Job, schedule: PollSchedule, *, fresh: bool) -> None:
        account, record = job.account, job.record
        self._job, self._schedule, self._fresh = job, schedule, fresh
        self._account, self._run = account, job.run
        # The journal's wall clock only makes up for the time before this run; it may have jumped.
        known = bool(record.created) and not fresh
        age = max(0.0, min(account.clock.wall() - record.created, account.deadline)) if known else 0.0
        self._accepted = account.clock.monotonic() - age
        self._waiting_since = job.run.awake()
        self._slept = job.run.slept
        self.backoff = Backoff(account.random)
        """Of failures in a row."""
        self._status = JobStatus(JobState.QUEUED, "in_queue")
        self._succeeded = record.state in (State.SUCCEEDED, State.SAVED)
        self._learnt: dict[str, object] = {}
        """Fields of the record that were learnt with the job's success."""
        self._missing: list[float] = []
        """When the service said, in its latest answers, that it does not have the job or its video."""

    async def wait(self) -> JobResult:
        """Wait for the job's success.

        Raises `JobFailed`, `JobExpired`, another `JobError`, `RejectedError` or `ClaimLost`.
        """
        if self._succeeded:
            return await self.fetch_result()
        # A job found again may have ended long ago.
        delay = self._schedule.delay(0) if self._fresh else 0
        while True:
            await self._pause(delay)
            # Only the status call knows the place in the queue; once a job runs, the result call alone tells all.
            running = self._status.state is JobState.RUNNING
            if not running:
                self._status = await self._read(self._account.client.status)
            if running or self._status.state not in _STILL_AT_WORK:
                result = await self.fetch_result()
                if result.state not in _STILL_AT_WORK:
                    return result
                self._status = JobStatus(result.state, result.raw_status)
            delay = self._schedule.delay(self._elapsed())

    async def fetch_result(self) -> JobResult:
        """Ask how the job ended; write that down, and raise it if it ended badly."""
        result = await self._read(self._account.client.result)
        record = self._job.record
        if result.state is JobState.FAILED:
            await self._write(State.FAILED, reason=result.reason, cost=result.cost)
            raise JobFailed(record.request_id, result.reason)
        if result.state is JobState.CANCELLED:
            await self._write(State.CANCELLED)
            raise JobError("jobCancelled", request_id=record.request_id)
        if result.state is JobState.SUCCEEDED and not self._succeeded:
            self._succeeded = True
            self._learnt = {
                "cost": result.cost,
                # Otherwise it may have ended long before this run saw it.
                "seconds": self._elapsed() if self._fresh and not self._run.slept else None,
                "media_host": _media_host(result),
                "files": file_names(record, len(result.videos), self._account.clock.wall()),
            }
            await self._write(State.SUCCEEDED, **self._learnt)
            # Fetching the video has a deadline of its own.
            self._waiting_since = self._run.awake()
        return result

    async def mark_saved(self, files: tuple[str, ...]) -> None:
        # With the fields that are usually written with `SUCCEEDED`, which a surplus job does not pass through.
        await self._write(State.SAVED, **{**self._learnt, "files": files})

    async def pause_after(self, problem: str, retry_after: float | None = None) -> None:
        """Wait before trying again after a failure."""
        pause = self.backoff.pause(retry_after)
        await self._pause(pause, events.retrying(problem, pause))

    async def _read(self, call: Callable[[str], T]) -> T:
        """Make a reading call, again and again through everything that may pass."""
        request_id = self._job.record.request_id
        while True:
            try:
                answer = await self._job.call(self._account.rate_limiter.call, call, request_id)
            except TransientError as error:
                await self.pause_after(error.message, error.retry_after)
                continue
            except NotFound:
                problem = Text("notices.jobMissing")
            else:
                if not (self._succeeded and isinstance(answer, JobResult) and answer.state in _BAD_ENDS):
                    self.backoff.reset()
                    self._missing.clear()
                    return answer
                problem = Text("notices.videoMissing")
            if self._is_gone():
                await self._write(State.EXPIRED)
                raise JobExpired(request_id) from None
            await self.pause_after(problem)

    def _is_gone(self) -> bool:
        """Whether the job is really gone. One odd answer must not cost the user a second video."""
        if not self._job.record.id:
            return True  # not in this journal, so nothing is bought for it: most likely the id is mistyped
        self._missing.append(self._run.awake())
        return len(self._missing) >= NOT_FOUND_READS and self._missing[-1] - self._missing[0] >= NOT_FOUND_SECONDS

    async def _pause(self, seconds: float, event: Event | None = None) -> None:
        run, deadline = self._run, self._account.deadline
        left, request_id = deadline - (run.awake() - self._waiting_since), self._job.record.request_id
        await run.sleep(max(0.0, min(seconds, left)), (lambda: event) if event else self._progress)
        if left <= seconds:
            state = Text("errors.deadlinePassed.lastState", state=self._status.raw_status)
            minutes, last = f"{deadline / 60:.0f}", event.texts[0].rstrip(".") if event else state
            if not self._succeeded:
                raise JobError(
                    "deadlinePassed", charge=Charge.ACCEPTED, request_id=request_id, minutes=minutes, last=last
                )
            late = Text("errors.videoUnavailable.late.message", minutes=minutes, last=last)
            raise VideoUnavailable(request_id, late)
        if run.slept != self._slept:
            self._slept = run.slept
            with suppress(JournalUnusable):  # the network may be back later than the machine; the job goes on
                if not await self._job.call(self._account.claims.holds, self._job.record, self._job.owner):
                    raise ClaimLost

    def _elapsed(self) -> float:
        return self._account.clock.monotonic() - self._accepted

    def _progress(self) -> Event:
        price = self._account.price.text()
        if self._status.state is JobState.QUEUED:
            return events.queued(self._status.queue_position, self._elapsed(), price)
        return events.generating(self._elapsed(), self._schedule.expected, price)

    async def _write(self, to: State, **changes: object) -> None:
        """Write down how the job ended, if that is still open."""
        job, record = self._job, self._job.record
        if to in TRANSITIONS[record.state]:
            if to in (State.FAILED, State.EXPIRED):
                job.account.reports.note_unread(record)  # until it is raised: a sibling that fails may cut this run off
            price = record.price or self._account.price.text()
            await self._run.wait_for(job.in_journal(job.move, record, to, price=price, **changes))


def is_still_there(account: Account, request_id: str) -> bool:
    """Whether the service has a job, and its video or the prospect of one: asked once. Blocks. Raises `RunComfyError`
    where nobody can know."""
    call, client = account.rate_limiter.call, account.client
    try:
        state = call(client.status, request_id).state
        if state is JobState.ENDED:
            state = call(client.result, request_id).state
    except (NotFound, PermissionDenied):
        return False
    return state not in _BAD_ENDS


def _media_host(result: JobResult) -> str:
    """Where the first video is; nothing where that is no name that a database takes."""
    try:
        host = urlsplit(result.videos[0]).hostname or "" if result.videos else ""
    except ValueError:
        return ""
    return host if host.isascii() and host.isprintable() else ""
