"""The service's memory: every account's jobs, under one lock."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

from .cache import Film
from .clock import HoldableClock
from .jobs import Job, JobQueue, JobState, Timing
from .renderer import Renderer
from .scene import Scene

_LEDGER: Final = 1000
"""Accepted jobs that `submissions` goes on to tell about after they were forgotten."""


@dataclass(frozen=True)
class Submission:
    """An accepted submit and what has become of it. Times are the service's clock's, in seconds."""

    request_id: str
    account: int
    """Index of the token that it came with."""
    input: Mapping[str, object]
    """The JSON body as it came, without defaults."""
    seconds: int
    """Of video."""
    state: JobState
    submitted: float
    started: float | None
    """When it left the queue."""
    ended: float | None
    queue_position: int | None
    """How many jobs stand in front of it, while it is queued."""
    error: str | None
    """Why it failed."""

    @property
    def cancelled(self) -> bool:
        """Whether a cancel call took it out of the queue."""
        return self.state is JobState.CANCELLED


class JobStore:
    """Takes jobs in, finds them and moves them on by the clock whenever somebody looks.

    Args:
        video: what every video shows; None for what was asked for.
    """

    def __init__(self, timing: Timing, clock: HoldableClock, renderer: Renderer, video: Scene | None = None) -> None:
        self._clock = clock
        self._renderer = renderer
        self._footage = video
        self._lock = threading.Lock()
        self._queue = JobQueue(timing)
        self._accepted: deque[Job] = deque()
        self._failures: deque[str] = deque()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._epoch = time.time() - clock()

    def submit(self, scene: Scene, body: Mapping[str, object], account: int) -> Submission:
        """Accept a job."""
        with self._lock:
            now = self._settle()
            error = self._failures.popleft() if self._failures else None
            clip = None if error else self._renderer.order(self._footage or scene)
            job = Job(str(uuid.uuid4()), account, dict(body), scene.duration, now, clip, error)
            self._accepted.append(job)
            self._queue.add(job)
            self._settle()
            while len(self._accepted) > _LEDGER and self._queue.find(self._accepted[0].request_id) is None:
                self._accepted.popleft()
            return self._view(job)

    def find(self, request_id: str) -> Submission | None:
        """The job as it is now; None if it is unknown or forgotten."""
        with self._lock:
            self._settle()
            job = self._queue.find(request_id)
            return self._view(job) if job else None

    def cancel(self, request_id: str) -> bool:
        """Take a job out of the queue; False if it is unknown, running or over."""
        with self._lock:
            now = self._settle()
            job = self._queue.find(request_id)
            if job is None or not self._queue.cancel(job, now):
                return False
            self._release(job)
            return True

    def film(self, request_id: str) -> AbstractContextManager[Film] | None:
        """The film of a succeeded job, to be entered for as long as it is read; None for any other."""
        with self._lock:
            self._settle()
            job = self._queue.find(request_id)
            if job is None or job.clip is None or job.state is not JobState.SUCCEEDED:
                return None
            return self._renderer.show(job.clip.scene)

    def forget(self, request_id: str) -> None:
        """Treat a job as expired. Raises `KeyError` if there is none."""
        with self._lock:
            now = self._settle()
            job = self._queue.find(request_id)
            if job is None:
                raise KeyError(request_id)
            self._forget(job, now)

    def fail_next(self, reason: str) -> None:
        """Let the next accepted job that has no such order yet fail with ``reason``."""
        with self._lock:
            self._failures.append(reason)

    def hold(self) -> None:
        """Bring all jobs to where they are now and keep them there."""
        with self._lock:
            self._settle()
            self._clock.hold()

    def count(self, method: str, kind: str) -> None:
        """Note a call."""
        with self._lock:
            self._calls[method, kind] += 1

    @property
    def calls(self) -> Counter[tuple[str, str]]:
        """How often each (method, kind) was called."""
        with self._lock:
            return Counter(self._calls)

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """Every accepted job in order; forgotten ones too, if they are among the last thousand."""
        with self._lock:
            self._settle()
            return tuple(self._view(job) for job in self._accepted)

    def wall_time(self, moment: float) -> str:
        """A moment of the service's clock in ISO 8601, UTC."""
        return datetime.fromtimestamp(self._epoch + moment, tz=timezone.utc).isoformat(timespec="milliseconds")

    def _settle(self) -> float:
        now = self._clock()
        if not self._clock.held:
            self._queue.settle(now)
            for job in self._queue.expired(now):
                self._forget(job, now)
        return now

    def _forget(self, job: Job, now: float) -> None:
        self._queue.remove(job, now)
        self._release(job)

    def _release(self, job: Job) -> None:
        if job.clip is not None:
            self._renderer.release(job.clip)
            job.clip = None

    def _view(self, job: Job) -> Submission:
        queued = job.state is JobState.IN_QUEUE and self._queue.find(job.request_id) is job
        return Submission(
            request_id=job.request_id,
            account=job.account,
            input=job.input,
            seconds=job.seconds,
            state=job.state,
            submitted=job.submitted,
            started=job.started,
            ended=job.ended,
            queue_position=self._queue.position(job) if queued else None,
            error=job.error if job.state is JobState.FAILED else None,
        )
