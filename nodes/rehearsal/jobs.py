"""The accepted jobs and their videos. A job moves on by the clock, but does not end before its video is made."""

from __future__ import annotations

import atexit
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from itertools import takewhile
from queue import SimpleQueue
from typing import Final

from .render import render
from .schema import VideoRequest

THREADS: Final = 2
KEPT_BYTES: Final = 64 * 1024 * 1024
"""Of finished videos kept in memory; a 5 s video of 480p has 0.4 MB. Each is fetched soon after it is made."""


class JobState(Enum):
    IN_QUEUE = "in_queue"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds."""

    queued: float = 1.0
    running: float = 3.0
    """Generating, at least."""
    expiry: float = 3600.0
    """From the end of a job until it is forgotten."""


@dataclass(eq=False)
class Job:
    """One accepted submit. Times are the service's clock's, in seconds."""

    request: VideoRequest
    timing: Timing
    clock: Callable[[], float]
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    cancelled: float | None = None
    rendered: float | None = None
    """When making its video ended, well or badly."""
    error: str = ""

    def __post_init__(self) -> None:
        self.submitted = self.clock()

    @property
    def ended(self) -> float | None:
        if self.cancelled is not None or self.rendered is None:
            return self.cancelled
        ends = max(self.rendered, self.submitted + self.timing.queued + self.timing.running)
        return ends if ends < self.clock() else None

    @property
    def state(self) -> JobState:
        if self.cancelled is not None:
            return JobState.CANCELLED
        if self.clock() <= self.submitted + self.timing.queued:
            return JobState.IN_QUEUE
        if self.ended is None:
            return JobState.IN_PROGRESS
        return JobState.FAILED if self.error else JobState.SUCCEEDED

    @property
    def is_expired(self) -> bool:
        return self.ended is not None and self.ended + self.timing.expiry <= self.clock()


class JobStore:
    """Takes jobs in and makes their videos, in the order of the jobs. Safe to use from several threads.

    Only the videos used last are kept in memory; others are made again when they are asked for. ``make`` returns the
    MP4 of a request; it is given a function that says whether to stop. Of ``clock``, only differences matter.
    """

    def __init__(
        self,
        timing: Timing,
        clock: Callable[[], float] = time.monotonic,
        make: Callable[[VideoRequest, Callable[[], bool]], bytes] = render,
    ) -> None:
        self._timing, self._clock, self._make = timing, clock, make
        self._lock = threading.Lock()
        self._jobs: list[Job] = []
        """As they were accepted; never changed, but replaced by another list."""
        self._videos: dict[str, bytes] = {}
        """The one last used is the last."""
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = threading.Event()
        # Not an executor: at exit, Python finishes all work of an executor before anybody can close this store.
        self._threads = [
            threading.Thread(target=self._work, name="rehearsal-render", daemon=True) for _ in range(THREADS)
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Give up what is being made, at its next frame, and wait for the threads."""
        self._closed.set()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        atexit.unregister(self.close)

    @property
    def jobs(self) -> list[Job]:
        """All that are not expired, oldest first."""
        return [job for job in self._jobs if not job.is_expired]

    def submit(self, request: VideoRequest) -> Job:
        job = Job(request, self._timing, self._clock)
        with self._lock:
            self._jobs = [*self.jobs, job]
        self.begin(job)
        return job

    def begin(self, job: Job) -> None:
        self._waiting.put(job)

    def find(self, request_id: str) -> Job | None:
        return next((job for job in self.jobs if job.request_id == request_id), None)

    def queue_position(self, job: Job) -> int:
        return sum(each.state is JobState.IN_QUEUE for each in takewhile(lambda each: each is not job, self.jobs))

    def cancel(self, job: Job) -> bool:
        """Take a job out of the queue, and do not begin its video. False if it is not queued."""
        with self._lock:
            is_queued = job.state is JobState.IN_QUEUE
            if is_queued:
                job.cancelled = self._clock()
            return is_queued

    def video(self, job: Job) -> bytes:
        """The MP4 of a job, made now unless it is kept. Raises what making it raises."""
        video = self._videos.get(job.request_id) or self._make(job.request, self._closed.is_set)
        with self._lock:
            self._videos.pop(job.request_id, None)
            self._videos[job.request_id] = video
            while sum(map(len, self._videos.values())) > KEPT_BYTES:
                del self._videos[next(iter(self._videos))]
        return video

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None and not self._closed.is_set():
            if job.cancelled is None:
                try:
                    self.video(job)
                except Exception as error:  # noqa: BLE001 - whatever it is, the job that waits for it has to end
                    job.error = f"The rehearsal's video could not be made ({type(error).__name__}: {error})"
                job.rendered = self._clock()
