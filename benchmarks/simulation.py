"""A service on a clock turned by hand: jobs of real variance, followed by the pack's own poller and journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, ParamSpec, TypeVar

from nodes.jobs.events import Event
from nodes.jobs.job import Job as Work
from nodes.jobs.poll import Poller, PollSchedule
from nodes.jobs.records import Order, RequestKey
from nodes.jobs.waiting import Run
from nodes.runcomfy.request import GenerationRequest
from tests.support.machine import FakeMachine

P = ParamSpec("P")
T = TypeVar("T")

ScheduleFor = Callable[[GenerationRequest, list[float]], PollSchedule]
"""From a request and the durations of earlier jobs like it."""

SPREAD: Final = 0.25
"""Standard deviation of the logarithm of a job's time, its wait in the queue included."""
QUEUE_SHARE: Final = (0.0, 0.4)
"""How much of a job's time it may wait in the queue."""
KINDS: Final = (
    (GenerationRequest("A paper boat", resolution="480p", duration=5), 25.0),
    (GenerationRequest("A paper boat", resolution="720p", duration=10), 65.0),
    (GenerationRequest("A paper boat", resolution="1080p", duration=12), 120.0),
)
"""Requests, and the median seconds that such a job takes by RunComfy's published times."""


@dataclass(frozen=True)
class Job:
    """A job that will take its time, whoever looks."""

    request: GenerationRequest
    queued: float
    """Seconds."""
    seconds: float
    """From acceptance to the end, the queue included."""


@dataclass(frozen=True)
class Followed:
    """What following a job cost."""

    job: Job
    lag: float
    """Seconds from its end to the call that saw it."""
    calls: int
    """Of the status and of the result kind."""


def jobs(count: int, seed: int) -> list[Job]:
    """Jobs of all kinds, mixed."""
    random = Random(seed)
    made = []
    for _ in range(count):
        request, usual = random.choice(KINDS)
        seconds = usual * random.lognormvariate(0.0, SPREAD)
        made.append(Job(request, seconds * random.uniform(*QUEUE_SHARE), seconds))
    return made


def follow_all(wanted: list[Job], schedule: ScheduleFor) -> list[Followed]:
    """Follow one job after the other; what the journal learns from one is there for the next."""
    with TemporaryDirectory() as folder, closing(FakeMachine(Path(folder))) as machine:
        return asyncio.run(_follow_all(machine, wanted, schedule))


async def _follow_all(machine: FakeMachine, wanted: list[Job], schedule: ScheduleFor) -> list[Followed]:
    clock, service, journal = machine.clock, machine.service, machine.journal
    machine.executors.calls = machine.executors.journal = _AtOnce(1)
    followed = []
    for number, job in enumerate(wanted):
        intended = journal.create(Order(job.request, RequestKey(str(number), "", "")), [], "")
        assert intended
        of_run = Work(machine.account, _Patient("", "", lambda _: None, lambda: False, clock=clock))
        of_run.record = journal.accept(intended, f"job-{number}")
        begun = service.accepted[f"job-{number}"] = clock.now
        service.queued, service.running = job.queued, job.seconds - job.queued
        service.calls.clear()
        expectation = schedule(job.request, journal.durations(job.request))
        await Poller(of_run, expectation, fresh=True).wait()
        of_run.release()
        _, seen = service.calls[-1]
        followed.append(Followed(job, seen - begun - job.seconds, len(service.calls)))
    return followed


class _Patient(Run):
    """Sleeps right through a pause: nobody presses Stop here, or reads."""

    async def sleep(self, seconds: float, line: Callable[[], Event] | None = None) -> None:  # noqa: ARG002  unread
        await self.clock.sleep(seconds)


class _AtOnce(ThreadPoolExecutor):
    """Works in the caller's thread, so that every run is the same."""

    def submit(self, work: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(work(*args, **options))
        return done
