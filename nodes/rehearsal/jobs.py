"""The queue: which job is where at a given time. No threads and no clock of its own; the time is handed in."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from .renderer import Clip


class JobState(Enum):
    """Where a job stands, in the words of the result call."""

    IN_QUEUE = "in_queue"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def status_word(self) -> str:
        """The word of the status call, which says `completed` for success and failure alike."""
        return "completed" if self in (JobState.SUCCEEDED, JobState.FAILED) else self.value

    @property
    def ended(self) -> bool:
        """Whether it stays so."""
        return self not in (JobState.IN_QUEUE, JobState.IN_PROGRESS)


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds."""

    queued: float = 1.0
    """In the queue, at least."""
    running: float = 3.0
    """Generating, at least: a job does not end before its file is there."""
    slots: int = 1024
    """Jobs that may run side by side; more wait in the queue."""
    expiry: float = 3600.0
    """From the end of a job until it is forgotten."""

    def __post_init__(self) -> None:
        if min(self.queued, self.running, self.expiry) < 0 or self.slots < 1:
            raise ValueError(f"no negative times, and at least one slot: {self}")


USUAL_TIMING = Timing()


@dataclass(eq=False)
class Job:
    """One accepted submit. Times are the service's clock's."""

    request_id: str
    account: int
    """Index of the token that paid."""
    input: Mapping[str, object]
    """The JSON body as it came."""
    seconds: int
    """Of video."""
    submitted: float
    clip: Clip | None
    """None for a job that is meant to fail, or that needs its file no more."""
    error: str | None = None
    """Why it failed, or will."""
    state: JobState = JobState.IN_QUEUE
    started: float | None = None
    ended: float | None = None


class JobQueue:
    """First in, first out, into a number of slots. `settle` brings every job to where it is at a time."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []
        self._running: dict[Job, float] = {}
        """Each running job, and when it is due."""
        self._free = [float("-inf")] * timing.slots
        """For each free slot, since when: a heap."""

    def add(self, job: Job) -> None:
        """Put a job at the end of the queue."""
        self._jobs[job.request_id] = job
        self._waiting.append(job)

    def find(self, request_id: str) -> Job | None:
        """The job, unless it is unknown or forgotten."""
        return self._jobs.get(request_id)

    def position(self, job: Job) -> int:
        """How many jobs stand in front of a queued one."""
        return self._waiting.index(job)

    def settle(self, now: float) -> None:
        """Start and end whatever is due, each at its own time, however long nobody looked."""
        self._end_due(now)
        while self._waiting:
            first = self._waiting[0]
            if not self._free:
                return
            start = max(first.submitted + self._timing.queued, self._free[0])
            if start > now:
                return
            heapq.heappop(self._free)
            self._waiting.pop(0)
            first.state, first.started = JobState.IN_PROGRESS, start
            self._running[first] = start + self._timing.running
            self._end_due(now)

    def cancel(self, job: Job, now: float) -> bool:
        """Take a job out of the queue. False if it is not in it any more."""
        if job.state is not JobState.IN_QUEUE:
            return False
        self._waiting.remove(job)
        job.state, job.ended = JobState.CANCELLED, now
        return True

    def remove(self, job: Job, now: float) -> None:
        """Forget a job, wherever it stands."""
        del self._jobs[job.request_id]
        if job in self._waiting:
            self._waiting.remove(job)
        if self._running.pop(job, None) is not None:
            heapq.heappush(self._free, now)

    def expired(self, now: float) -> list[Job]:
        """Jobs that ended so long ago that they are to be forgotten."""
        return [job for job in self._jobs.values() if job.ended is not None and job.ended + self._timing.expiry <= now]

    def _end_due(self, now: float) -> None:
        for job, due in list(self._running.items()):
            end = _end_of(job, due)
            if end is None or end > now:
                continue
            if job.clip is not None and job.clip.problem:
                job.error = job.clip.problem
            job.state = JobState.FAILED if job.error else JobState.SUCCEEDED
            job.ended = end
            del self._running[job]
            heapq.heappush(self._free, end)


def _end_of(job: Job, due: float) -> float | None:
    """When a running job ends; None while its file is still being made."""
    if job.clip is None:
        return due
    return None if job.clip.ready is None else max(due, job.clip.ready)
