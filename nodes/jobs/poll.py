"""An accepted job, watched until it ends. No failed read ends it: only its own end, a refusal or the deadline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from ..runcomfy.errors import NotFound, TransientError
from ..runcomfy.responses import JobResult, JobState, JobStatus
from .cancellation import Cancellation
from .errors import DeadlinePassed, JobCancelled, JobExpired, JobFailed
from .events import Event, Generating, Queued, Retrying
from .journal import JobRecord
from .poll_schedule import PollSchedule
from .retry import Backoff
from .services import Services, record
from .states import State

T = TypeVar("T")

NOT_FOUND_GRACE: Final = 120.0
"""Seconds after acceptance in which a service that says that it does not know the job is taken for confused."""
CONFIRMED_AFTER: Final = 5.0
"""Seconds for which the service's own 404 has to stand."""
_STILL_AT_WORK: Final = (JobState.QUEUED, JobState.RUNNING, JobState.UNKNOWN)


class Poller:
    """Follows one job.

    Args:
        fresh: whether the job was accepted just now, so that its duration can be measured.
    """

    def __init__(
        self, services: Services, cancellation: Cancellation, entry: JobRecord, schedule: PollSchedule, *, fresh: bool
    ) -> None:
        self.entry = entry
        self._services = services
        self._cancellation = cancellation
        self._schedule = schedule
        self._fresh = fresh
        self._started = self._waiting_since = services.clock.monotonic()
        # The journal's wall clock only makes up for the time before this run; it may have jumped.
        known = bool(entry.created) and not fresh
        self._age = max(0.0, min(services.clock.wall() - entry.created, services.deadline)) if known else 0.0
        self._backoff = Backoff(services.random)
        self._status = JobStatus(JobState.QUEUED, "in_queue")
        self._missing_since: float | None = None

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
        """Ask how the job ended; if it ended badly, write that down and raise it."""
        result = await self._read(self._services.client.result)
        if result.state is JobState.FAILED:
            await self._end_badly(replace(self.entry, reason=result.reason, cost=result.cost), State.FAILED)
            raise JobFailed(result.reason, self.entry.request_id)
        if result.state is JobState.CANCELLED:
            await self._end_badly(self.entry, State.CANCELLED)
            raise JobCancelled(self.entry.request_id)
        if result.state is JobState.SUCCEEDED and self.entry.state is State.ACCEPTED:
            seconds = self._elapsed() if self._fresh else None
            await self._record(replace(self.entry, cost=result.cost, seconds=seconds), State.SUCCEEDED)
            # Fetching the video has a deadline of its own.
            self._waiting_since = self._services.clock.monotonic()
        return result

    def progressed(self) -> None:
        """A failure that nevertheless brought something counts as a first one."""
        self._backoff.reset()

    async def _read(self, call: Callable[[str], T]) -> T:
        """A read that goes on through everything that may pass."""
        request_id = self.entry.request_id
        while True:
            try:
                reading = self._services.executors.call(self._services.rate_limiter.call, call, request_id)
                answer = await self._cancellation.wait_for(reading)
            except TransientError as error:
                await self.pause_after(error.message, error.retry_after)
            except NotFound:
                if self._is_gone():
                    raise JobExpired(request_id) from None
                await self.pause_after("RunComfy says that it does not have this job (404).")
            else:
                self._backoff.reset()
                self._missing_since = None
                return answer

    def _is_gone(self) -> bool:
        """Whether the job is really gone. One odd 404 must not cost the user a second video."""
        now = self._services.clock.monotonic()
        if self._missing_since is None:
            self._missing_since = now
        just_accepted = bool(self.entry.created) and self._elapsed() < NOT_FOUND_GRACE
        return not just_accepted and now - self._missing_since >= CONFIRMED_AFTER

    async def pause_after(self, problem: str, retry_after: float | None = None) -> None:
        """Wait before trying again after a failure."""
        pause = self._backoff.pause(retry_after)
        await self._pause(pause, Retrying(problem, pause))

    async def _pause(self, seconds: float, line: Event | None = None) -> None:
        left = self._services.deadline - (self._services.clock.monotonic() - self._waiting_since)
        await self._cancellation.sleep(max(0.0, min(seconds, left)), (lambda: line) if line else self._line)
        if left <= seconds:
            last = str(line) if line else f'the last state was "{self._status.raw_status}"'
            raise DeadlinePassed(self._services.deadline, last, self.entry.request_id)

    def _elapsed(self) -> float:
        return self._age + self._services.clock.monotonic() - self._started

    def _line(self) -> Event:
        if self._status.state is JobState.QUEUED:
            return Queued(self._status.queue_position, self._elapsed(), self._services.price())
        return Generating(self._elapsed(), self._schedule.expected, self._services.price())

    async def _end_badly(self, entry: JobRecord, to: State) -> None:
        if self.entry.state is State.ACCEPTED:
            await self._record(entry, to)

    async def _record(self, entry: JobRecord, to: State) -> None:
        entry = replace(entry, price=entry.price or self._services.price())
        self.entry = await self._cancellation.wait_for(
            self._services.executors.record(record, self._services, self._cancellation.report, entry, to)
        )
