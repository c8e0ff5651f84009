"""The accepted jobs. A job moves on by the clock alone: where it stands follows from when it was submitted."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from functools import partial
from itertools import takewhile

from .render import Renderer
from .schema import VideoRequest

log = logging.getLogger("seedance")


class JobState(Enum):
    """Where a job stands, in the words of the result call."""

    IN_QUEUE = "in_queue"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds."""

    queued: float = 1.0
    """In the queue."""
    running: float = 3.0
    """Generating, at least: a job does not end before its video is made."""
    expiry: float = 3600.0
    """From the end of a job until it is forgotten."""


@dataclass(frozen=True)
class Job:
    """One accepted submit, as it stands at one moment. Times are the service's clock's, in seconds."""

    request_id: str
    account: int
    """Index of the token that it came with."""
    request: VideoRequest
    submitted: float
    state: JobState = JobState.IN_QUEUE
    ended: float | None = None
    rendered: float | None = None
    """When its video was made, or could not be made."""
    error: str | None = None
    """Why it could not be made."""

    @property
    def needs_video(self) -> bool:
        """Whether its video is still to be made."""
        return self.rendered is None and self.state is not JobState.CANCELLED

    def at(self, now: float, timing: Timing) -> Job:
        """The same job at a later moment."""
        if self.state is JobState.CANCELLED:
            return self
        started = self.submitted + timing.queued
        if now <= started:
            return self
        ended = None if self.rendered is None else max(self.rendered, started + timing.running)
        if ended is None or now <= ended:
            return replace(self, state=JobState.IN_PROGRESS)
        return replace(self, state=JobState.FAILED if self.error else JobState.SUCCEEDED, ended=ended)


class JobStore:
    """Takes jobs in, has their videos made, finds and cancels them. Safe to use from several threads."""

    def __init__(self, timing: Timing, clock: Callable[[], float], renderer: Renderer) -> None:
        self._timing = timing
        self._clock = clock
        self._renderer = renderer
        self._epoch = time.time() - clock()
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        """By request id, in the order in which they were accepted; as they stood when they came or were changed."""

    @property
    def jobs(self) -> list[Job]:
        """All that are not expired, as they stand now, oldest first."""
        with self._lock:
            return [job for job in map(self._unless_expired, self._jobs.values()) if job]

    def submit(self, request: VideoRequest, account: int) -> Job:
        """Accept a job."""
        job = Job(str(uuid.uuid4()), account, request, self._clock())
        with self._lock:
            self._jobs = {each.request_id: each for each in (*self.jobs, job)}
        # After the lock is free again: if the video is there already, this calls back at once.
        self._renderer.order(request).add_done_callback(partial(self._on_rendered, job.request_id))
        return job

    def find(self, request_id: str) -> Job | None:
        """The job as it stands now; None if it is unknown or expired."""
        with self._lock:
            job = self._jobs.get(request_id)
            return self._unless_expired(job) if job else None

    def queue_position(self, request_id: str) -> int:
        """How many jobs stand in front of a queued one."""
        before = takewhile(lambda job: job.request_id != request_id, self.jobs)
        return sum(job.state is JobState.IN_QUEUE for job in before)

    def cancel(self, request_id: str) -> bool:
        """Take a job out of the queue, and do not make a video that no other job needs. False if it is not queued."""
        with self._lock:
            job = self.find(request_id)
            if job is None or job.state is not JobState.IN_QUEUE:
                return False
            self._jobs[request_id] = replace(job, state=JobState.CANCELLED, ended=self._clock())
            if not any(each.request == job.request and each.needs_video for each in self._jobs.values()):
                self._renderer.cancel(job.request)
            return True

    def video(self, job: Job) -> Future[bytes]:
        """The MP4 of a job that has succeeded. If it was dropped since, it is made again."""
        return self._renderer.order(job.request)

    def wall_time(self, moment: float) -> str:
        """A moment of the service's clock in ISO 8601, UTC."""
        return datetime.fromtimestamp(self._epoch + moment, tz=timezone.utc).isoformat(timespec="milliseconds")

    def _on_rendered(self, request_id: str, video: Future[bytes]) -> None:
        if video.cancelled():
            return
        error = video.exception()
        problem = f"The rehearsal's video could not be made ({type(error).__name__}: {error})" if error else None
        if error:  # of which the job tells
            log.debug("The rehearsal's video could not be made", exc_info=error)
        with self._lock:
            if request_id in self._jobs:
                job = self._jobs[request_id]
                self._jobs[request_id] = replace(job, rendered=self._clock(), error=problem)

    def _unless_expired(self, job: Job) -> Job | None:
        now = self._clock()
        job = job.at(now, self._timing)
        return None if job.ended is not None and job.ended + self._timing.expiry <= now else job
