"""An accepted job, polled until it ends. No failed read ends it: only its own end, a refusal or the deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlsplit

from ..runcomfy.errors import NotFound, TransientError
from ..runcomfy.responses import JobResult, JobState, JobStatus
from .cancellation import Cancellation
from .errors import DeadlinePassed, JobCancelled, JobExpired, JobFailed, VideoUnavailable
from .events import Event, Generating, Queued, Retrying
from .poll_schedule import PollSchedule
from .records import JobRecord
from .retry import Backoff
from .services import Services
from .states import TRANSITIONS, State

T = TypeVar("T")

NOT_FOUND_SECONDS: Final = 60.0
NOT_FOUND_READS: Final = 3
"""For how long, and how often at least, the service has to say that it does not have a job until that is believed."""
_STILL_AT_WORK: Final = (JobState.QUEUED, JobState.RUNNING, JobState.UNKNOWN)


class Poller:
    """Polls one job.

    Args:
        fresh: whether the job was accepted just now, so that its duration can be measured.
    """

    def __init__(
        self, services: Services, cancellation: Cancellation, record: JobRecord, schedule: PollSchedule, *, fresh: bool
    ) -> None:
        self.record = record
        self._services = services
        self._cancellation = cancellation
        self._schedule = schedule
        self._fresh = fresh
        self._started, self._waiting_since = services.clock.monotonic(), cancellation.awake()
        # The journal's wall clock only makes up for the time before this run; it may have jumped.
        known = bool(record.created) and not fresh
        self._age = max(0.0, min(services.clock.wall() - record.created, services.deadline)) if known else 0.0
        self._backoff = Backoff(services.random)
        self._status = JobStatus(JobState.QUEUED, "in_queue")
        self._missing_since = 0.0
        self._missing_reads = 0

    async def wait(self) -> JobResult:
        """Wait for the job's success.

        Raises:
            JobFailed, JobCancelled, JobExpired, DeadlinePassed, RejectedError
        """
        # A job found again may have ended long ago.
        delay = self._schedule.delay(0) if self._fresh else 0
        while True:
            await self._pause(delay)
            # Only the status call knows the place in the queue; once a job runs, the result call alone tells all.
            running = self._status.state is JobState.RUNNING
            if not running:
                self._status = await self._read(self._services.client.status)
            if running or self._status.state not in _STILL_AT_WORK:
                result = await self.result()
                if result.state not in _STILL_AT_WORK:
                    return result
                self._status = JobStatus(result.state, result.raw_status)
            delay = self._schedule.delay(self._elapsed())

    async def result(self) -> JobResult:
        """Ask how the job ended; write that down, and raise it if it ended badly."""
        result = await self._read(self._services.client.result)
        request_id = self.record.request_id
        if result.state is JobState.FAILED:
            await self._write(State.FAILED, reason=result.reason, cost=result.cost)
            raise JobFailed(result.reason, request_id)
        if result.state is JobState.CANCELLED:
            await self._write(State.CANCELLED)
            raise JobCancelled(request_id)
        if result.state is JobState.SUCCEEDED and self.record.state not in (State.SUCCEEDED, State.SAVED):
            seconds = self._elapsed() if self._fresh else None
            await self._write(State.SUCCEEDED, cost=result.cost, seconds=seconds, media_host=_host(result))
            # Fetching the video has a deadline of its own.
            self._waiting_since = self._cancellation.awake()
        return result

    def progressed(self) -> None:
        """A failure that nevertheless brought something counts as a first one."""
        self._backoff.reset()

    async def pause_after(self, problem: str, retry_after: float | None = None) -> None:
        """Wait before trying again after a failure."""
        pause = self._backoff.pause(retry_after)
        await self._pause(pause, Retrying(problem, pause))

    async def _read(self, call: Callable[[str], T]) -> T:
        """A read that goes on through everything that may pass."""
        request_id, limiter = self.record.request_id, self._services.rate_limiter
        while True:
            try:
                answer = await self._cancellation.wait_for(
                    self._services.executors.calls.submit(limiter.call, call, request_id)
                )
            except TransientError as error:
                await self.pause_after(error.message, error.retry_after)
            except NotFound:
                if self._is_gone():
                    await self._write(State.EXPIRED)
                    raise JobExpired(request_id) from None
                await self.pause_after("RunComfy says that it does not have this job (404).")
            else:
                self._backoff.reset()
                self._missing_reads = 0
                return answer

    def _is_gone(self) -> bool:
        """Whether the job is really gone. One odd 404 must not cost the user a second video."""
        if not self.record.id:
            return True  # no job of this journal, by which nothing is bought: most likely the id is mistyped
        now = self._services.clock.monotonic()
        if not self._missing_reads:
            self._missing_since = now
        self._missing_reads += 1
        return self._missing_reads >= NOT_FOUND_READS and now - self._missing_since >= NOT_FOUND_SECONDS

    async def _pause(self, seconds: float, line: Event | None = None) -> None:
        left = self._services.deadline - (self._cancellation.awake() - self._waiting_since)
        await self._cancellation.sleep(max(0.0, min(seconds, left)), (lambda: line) if line else self._line)
        if left <= seconds:
            last = f'the last state was "{self._status.raw_status}"'
            if isinstance(line, Retrying):  # which is not tried again any more
                last = line.problem.rstrip(".")
            if self.record.state is State.SUCCEEDED:
                minutes = self._services.deadline / 60
                message = f"The video is finished, but could not be fetched within {minutes:.0f} minutes ({last})."
                raise VideoUnavailable(message, self.record.request_id)
            raise DeadlinePassed(self._services.deadline, last, self.record.request_id)

    def _elapsed(self) -> float:
        return self._age + self._services.clock.monotonic() - self._started

    def _line(self) -> Event:
        if self._status.state is JobState.QUEUED:
            return Queued(self._status.queue_position, self._elapsed(), self._services.price())
        return Generating(self._elapsed(), self._schedule.expected, self._services.price())

    async def _write(self, to: State, **changes: object) -> None:
        """Write down how the job ended, if that is still open."""
        record = self.record
        if to not in TRANSITIONS[record.state]:
            return
        price = record.price or self._services.price()
        writing = self._services.executors.journal.submit(
            self._services.transition, self._cancellation.report, record, to, price=price, **changes
        )
        self.record = await self._cancellation.wait_for(writing)


def _host(result: JobResult) -> str:
    """Where the first video is."""
    try:
        return urlsplit(result.videos[0]).hostname or "" if result.videos else ""
    except ValueError:
        return ""
