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
        tokens: one for each account.
        price_usd: of a second of video; None names no price.
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
        self._tokens, self._price_usd, self._latency = tuple(tokens), price_usd, latency
        self._accounts: dict[str, int] = {}
        """Of each job, by its id: the index of the token that it came with."""
        self._calls: Counter[tuple[str, str]] = Counter()
        self._connections: WeakSet[asyncio.Transport] = WeakSet()
        self.forgotten: set[str] = set()
        """The ids of jobs that it says it does not have."""
        self._scripted = ScriptedStore(timing or Timing(), self._holdable, (lambda *_: content) if video else make)
        self._scripted.failures = deque()
        super().__init__(store=self._scripted)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def is_known(self, token: str) -> bool:
        return token in self._tokens

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
            if self.is_known(token) and self._accounts.get(request_id) not in (None, self._tokens.index(token)):
                return web.json_response({"error_code": 403001, "message": "PermissionDeniedError"}, status=403)
            transport = request.transport
            if self._latency and transport is not None:
                await asyncio.sleep(self._latency if transport in self._connections else 2 * self._latency)
                self._connections.add(transport)
            answer = await handler(request)
            if isinstance(answer, web.Response) and answer.status == 200 and answer.content_type == "application/json":
                content = json.loads(answer.text or "")
                if call == "submit":
                    self._accounts[content["request_id"]] = self._tokens.index(token)
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
        job = self.store.find(request.match_info["request_id"])
        if call != "result" or "finished_at" not in content or request.query.get("include_cost") != "true" or not job:
            return {}
        return {"cost": round(price * job.request.duration, 4) if content["status"] == "succeeded" else 0}

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """Every accepted submit that is not expired, in order, as it stands now."""
        jobs = self.store.jobs
        return tuple(
            Submission(job.request_id, self._accounts.get(job.request_id, 0), job.request.model_dump(), job.state)
            for job in jobs
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

    def wait_until_rendered(self) -> bool:
        """Wait until the video of every job is made or given up; False if a minute was too short."""
        ends = time.monotonic() + 60
        while any(job.rendered is None and job.cancelled is None for job in self.store.jobs):
            if time.monotonic() > ends:
                return False
            time.sleep(0.005)
        return True
