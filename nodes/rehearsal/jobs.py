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

from .render import VideoRequest, render

RENDER_THREADS: Final = 2
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
    """How long a job is queued and, at least, how long it is generated, in seconds."""

    queued: float = 1.0
    running: float = 3.0


@dataclass(eq=False)
class Job:
    """One accepted submit. Times are the store's clock's, in seconds."""

    request: VideoRequest
    begins: float
    ends: float
    """At the earliest."""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_cancelled: bool = False
    is_rendered: bool = False
    """Whether its video was made, or could not be made."""
    error: str = ""


class JobStore:
    """Takes jobs in and makes their videos, in the order of the jobs. Only videos may be asked for by several threads.

    Only the videos last made are kept, in memory; another one is made again when it is asked for. ``make`` gives the
    MP4 of a request, and is handed a function that says whether to give up. Only differences of ``clock`` mean
    something.
    """

    def __init__(
        self,
        timing: Timing,
        clock: Callable[[], float] = time.monotonic,
        make: Callable[[VideoRequest, Callable[[], bool]], bytes] = render,
    ) -> None:
        self._timing, self._clock, self._make = timing, clock, make
        self.jobs: dict[str, Job] = {}
        """By their ids, oldest first."""
        self._videos: dict[str, bytes] = {}
        """By the ids of jobs, the one last made at the end."""
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = threading.Event()
        # Not an executor: at exit, Python finishes all work of an executor before anybody can close this store.
        self._threads = [
            threading.Thread(target=self._work, name="rehearsal-render", daemon=True) for _ in range(RENDER_THREADS)
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

    def submit(self, request: VideoRequest) -> Job:
        begins = self._clock() + self._timing.queued
        job = Job(request, begins, begins + self._timing.running)
        self.jobs[job.request_id] = job
        self._waiting.put(job)
        return job

    def state(self, job: Job) -> JobState:
        """As it stands now."""
        now = self._clock()
        if job.is_cancelled:
            return JobState.CANCELLED
        if now <= job.begins:
            return JobState.IN_QUEUE
        if now <= job.ends or not job.is_rendered:
            return JobState.IN_PROGRESS
        return JobState.FAILED if job.error else JobState.SUCCEEDED

    def queue_position(self, job: Job) -> int:
        before = takewhile(lambda each: each is not job, self.jobs.values())
        return sum(self.state(each) is JobState.IN_QUEUE for each in before)

    def cancel(self, job: Job) -> bool:
        """Take a job out of the queue, and do not begin its video. False if it is not queued."""
        is_queued = self.state(job) is JobState.IN_QUEUE
        job.is_cancelled |= is_queued
        return is_queued

    def video(self, job: Job) -> bytes:
        """The MP4 of a job, made now unless it is kept. Raises what making it raises."""
        video = self._videos.get(job.request_id) or self._make(job.request, self._closed.is_set)
        with self._lock:
            self._videos[job.request_id] = video
            while sum(map(len, self._videos.values())) > KEPT_BYTES:
                del self._videos[next(iter(self._videos))]
        return video

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None and not self._closed.is_set():
            if not job.is_cancelled:
                try:
                    self.video(job)
                except Exception as error:  # noqa: BLE001 - whatever it is, the job that waits for it has to end
                    job.error = f"The rehearsal's video could not be made ({type(error).__name__}: {error})"
                job.is_rendered = True
