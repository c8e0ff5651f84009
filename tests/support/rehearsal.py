"""The rehearsal service with what tests, the soak and the benchmarks need beyond it: several accounts, a price, time
that stands still, jobs that fail, a record of what was asked.
"""

from __future__ import annotations

import asyncio
import json
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

UNDER_WAY = ("in_queue", "in_progress")


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


Make = Callable[[VideoRequest, Callable[[], bool]], bytes]
SMALL = VideoRequest(text="Any", duration=2)


def small_videos() -> Make:
    """Brings one small video for every job, so that none takes time."""
    content = render(SMALL)
    return lambda *_: content


class ScriptedStore(JobStore):
    """Fails where it is told to."""

    failures: deque[str]

    def submit(self, request: VideoRequest) -> Job:
        job = super().submit(request)
        if self.failures:
            job.error = self.failures.popleft()
        return job


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
        tokens: one for each account.
        price_usd: of a second of video; None names no price.
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
        latency: float = 0.0,
        make: Make = render,
    ) -> None:
        self._holdable = HoldableClock(clock)
        self._accounts_by_token = {token: number for number, token in enumerate(tokens)}
        self._price_usd, self._latency = price_usd, latency
        self._accounts: dict[str, int] = {}
        """Of each job, by its id: the index of the token that it came with."""
        self._calls: Counter[tuple[str, str]] = Counter()
        self._connections: WeakSet[asyncio.Transport] = WeakSet()
        self.forgotten: set[str] = set()
        """The ids of jobs that it says it does not have."""
        self._scripted = ScriptedStore(timing or Timing(), self._holdable, make)
        self._scripted.failures = deque()
        super().__init__(tokens, self._scripted)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def application(self) -> web.Application:
        """With a middleware that counts, delays, denies and names prices."""

        @web.middleware
        async def extended(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            call = (resource and resource.name) or "unknown"
            self._calls[request.method, call] += 1
            request_id = request.match_info.get("request_id", "")
            if request_id in self.forgotten:
                return web.json_response({"error_code": 404001, "message": "ResourceNotFound"}, status=404)
            token = request.headers.get("Authorization", "").partition(" ")[2].strip()
            account = self._accounts_by_token.get(token)
            if account is not None and self._accounts.get(request_id, account) != account:
                return web.json_response({"error_code": 403001, "message": "PermissionDeniedError"}, status=403)
            transport = request.transport
            if self._latency and transport is not None:
                await asyncio.sleep(self._latency if transport in self._connections else 2 * self._latency)
                self._connections.add(transport)
            answer = await handler(request)
            if isinstance(answer, web.Response) and answer.status == 200 and answer.content_type == "application/json":
                content = json.loads(answer.text or "")
                if call == "submit":
                    self._accounts[content["request_id"]] = self._accounts_by_token[token]
                elif self._price_usd is not None:
                    answer.text = json.dumps(content | self._price(call, request, content))
            return answer

        app = super().application()
        app.middlewares.append(extended)
        return app

    def _price(self, call: str, request: web.Request, content: Mapping[str, object]) -> dict[str, object]:
        """What an answer says of prices, where there is one."""
        price = self._price_usd or 0
        if call == "model":
            return {"base_price_usd": price, "price_unit": "second", "pricing_note": f"${price:g} per second of video."}
        if call != "result" or content["status"] in UNDER_WAY or request.query.get("include_cost") != "true":
            return {}
        duration = self.store.jobs[str(content["request_id"])].request.duration
        return {"cost": round(price * duration, 4) if content["status"] == "succeeded" else 0}

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """Every accepted submit, in order, as it stands now."""
        return tuple(
            Submission(name, self._accounts.get(name, 0), job.request.model_dump(), self.store.state(job))
            for name, job in list(self.store.jobs.items())
        )

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
