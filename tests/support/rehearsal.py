"""The rehearsal service with what tests, the soak and the benchmarks need beyond it: time that stands still, jobs that
fail, a record of what was asked.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from weakref import WeakSet

from aiohttp import web
from aiohttp.typedefs import Handler
from typing_extensions import Self

from nodes import rehearsal
from nodes.rehearsal import DEFAULT_TOKEN, Job, JobState, Timing, VideoRequest
from nodes.rehearsal.jobs import JobStore
from nodes.rehearsal.render import render


class HoldableClock:
    """Seconds of ``source`` without the spans for which it was held."""

    def __init__(self, source: Callable[[], float]) -> None:
        self._source = source
        self._lost = 0.0
        self._held_at: float | None = None

    def __call__(self) -> float:
        held_at = self._held_at  # another thread may release it meanwhile
        return self._source() - self._lost if held_at is None else held_at

    def hold(self) -> None:
        self._held_at = self()

    def release(self) -> None:
        if self._held_at is not None:
            self._lost, self._held_at = self._source() - self._held_at, None


class ScriptedStore(JobStore):
    """Fails where it is told to."""

    failures: deque[str]

    def begin(self, job: Job) -> None:
        if self.failures:
            job.error, job.rendered = self.failures.popleft(), job.submitted
        else:
            super().begin(job)


@dataclass(frozen=True)
class Submission:
    """An accepted submit and what has become of it."""

    request_id: str
    account: int
    """Index of the token that it came with."""
    input: Mapping[str, object]
    """The JSON body, with its defaults."""
    state: JobState

    @property
    def cancelled(self) -> bool:
        return self.state is JobState.CANCELLED


class RehearsalService(rehearsal.RehearsalService):
    """The service for as long as a `with` block lasts, with a clock that can be held, and jobs that can be deleted.

    Args:
        video: what every video shows, whatever is asked for; made at once. None for what is asked for.
        latency: seconds from a call to its answer, and once more for a new connection.
        make: as that of `JobStore`.
    """

    def __init__(
        self,
        *,
        tokens: Collection[str] = (DEFAULT_TOKEN,),
        timing: Timing | None = None,
        price_usd: float | None = 0.02,
        clock: Callable[[], float] = time.monotonic,
        video: VideoRequest | None = None,
        latency: float = 0.0,
        make: Callable[[VideoRequest, Callable[[], bool]], bytes] = render,
    ) -> None:
        content = render(video) if video else b""
        self._holdable = HoldableClock(clock)
        self._latency = latency
        self._calls: Counter[tuple[str, str]] = Counter()
        self._connections: WeakSet[asyncio.Transport] = WeakSet()
        self.forgotten: set[str] = set()
        """The ids of jobs that it says it does not have."""
        self._scripted = ScriptedStore(timing or Timing(), self._holdable, (lambda *_: content) if video else make)
        self._scripted.failures = deque()
        super().__init__(tokens=tokens, price_usd=price_usd, store=self._scripted)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def application(self) -> web.Application:
        """With a middleware that counts, delays and denies."""

        @web.middleware
        async def count_and_delay(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            self._calls[request.method, (resource and resource.name) or "unknown"] += 1
            if request.match_info.get("request_id") in self.forgotten:
                return web.json_response({"error_code": 404001, "message": "ResourceNotFound"}, status=404)
            transport = request.transport
            if self._latency and transport is not None:
                await asyncio.sleep(self._latency if transport in self._connections else 2 * self._latency)
                self._connections.add(transport)
            return await handler(request)

        app = super().application()
        app.middlewares.append(count_and_delay)
        return app

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """Every accepted submit that is not expired, in order, as it stands now."""
        jobs = self.store.jobs
        return tuple(Submission(job.request_id, job.account, job.request.model_dump(), job.state) for job in jobs)

    @property
    def calls(self) -> Counter[tuple[str, str]]:
        """How often each call came in, refused or not, by method and the name of its route, or `unknown`."""
        return Counter(self._calls)

    def hold(self) -> None:
        """Freeze every job where it is: queued ones, and those submitted from now on, stay queued until `release`."""
        self._holdable.hold()

    def release(self) -> None:
        """Let time go on from where `hold` stopped it."""
        self._holdable.release()

    def fail_next(self, reason: str) -> None:
        """Let the next job that is accepted fail with this reason. Calls add up: one job each."""
        self._scripted.failures.append(reason)

    def wait_until_rendered(self, timeout: float = 60.0) -> bool:
        """Wait until the video of every job is made or given up; False if ``timeout`` seconds were too few."""
        ends = time.monotonic() + timeout
        while any(job.rendered is None and job.cancelled is None for job in self.store.jobs):
            if time.monotonic() > ends:
                return False
            time.sleep(0.005)
        return True
