"""A RunComfy that follows a script, and the clock by which it does: sleeping turns it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from itertools import count

from nodes.jobs.poll import PollSchedule
from nodes.jobs.waiting import Clock
from nodes.runcomfy.client import ApiRequest
from nodes.runcomfy.errors import ReadError
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.responses import ApiResponse

BOAT = GenerationRequest("A paper boat", duration=2)
QUEUED, RUNNING = 5.0, 20.0


class TurningClock(Clock):
    """Time passes by sleeping alone, and at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.offset = 1_700_000_000.0
        self.nap = 0.0
        """Seconds that the machine sleeps in the next pause, which nobody has planned."""

    def wall(self) -> float:
        return self.now + self.offset

    def monotonic(self) -> float:
        return self.now

    def with_sleep(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + self.nap
        self.nap = 0.0
        await asyncio.sleep(0)


Answer = ApiResponse | Exception


def reply(code: int = 200, headers: Mapping[str, str] | None = None, /, **body: object) -> ApiResponse:
    """An answer with a JSON object as its body."""
    return ApiResponse(code, dict(headers or {}), json.dumps(body).encode())


def lose_the_answer() -> None:
    """To be done before an answer of the service, which has done what it was asked."""
    raise ReadError("connection lost")


def reads_within(schedule: PollSchedule, seconds: float) -> int:
    """How often a job that takes so long is looked at."""
    reads, now = 0, 0.0
    while now < seconds:
        now += schedule.delay(now)
        reads += 1
    return reads


class ScriptedService:
    """A transport that plays the service: every job is `queued` for some seconds, then `running`."""

    def __init__(self, clock: TurningClock) -> None:
        self._clock = clock
        self.queued, self.running = QUEUED, RUNNING
        self.script: defaultdict[str, deque[Answer]] = defaultdict(deque)
        """What the next calls of a kind are answered instead of the truth; they have no effect."""
        self.before: dict[str, Callable[[], object]] = {}
        """Done in the calling thread when a call of the kind has come in and been acted upon."""
        self.calls: list[tuple[str, float]] = []
        self.accepted: dict[str, float] = {}
        self._numbers = count(1)
        self.cancelled: set[str] = set()
        self.forgotten: set[str] = set()
        self.ending: dict[str, object] = {"status": "succeeded", "output": {"video": "https://media/1"}, "cost": 0.03}

    def send(self, call: ApiRequest, /) -> ApiResponse:
        if call.before_first_byte:
            call.before_first_byte()
        kind = "submit" if "/models/" in call.path else call.path.partition("?")[0].rsplit("/", 1)[1]
        self.calls.append((kind, self._clock.now))
        scripted = self.script[kind].popleft() if self.script[kind] else None
        answer = scripted or self._answer(kind, call.path.split("/")[3])
        if hook := self.before.get(kind):
            hook()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def count(self, kind: str) -> int:
        return Counter(name for name, _ in self.calls)[kind]

    def results_after_the_end(self) -> int:
        """How often the result of the first job was asked for when there was one."""
        ended = self.accepted["job-1"] + self.queued + self.running
        return sum(kind == "result" and moment >= ended for kind, moment in self.calls)

    def _answer(self, kind: str, subject: str) -> ApiResponse:
        if kind == "submit":
            # One that no other thread has got, nor a test has taken.
            request_id = next(name for number in self._numbers if (name := f"job-{number}") not in self.accepted)
            self.accepted[request_id] = self._clock.now
            return reply(request_id=request_id)
        if subject in self.forgotten or subject not in self.accepted:
            return reply(404, error_code=404001, message="ResourceNotFound")
        age = self._clock.now - self.accepted[subject]
        if kind == "cancel":
            if age < self.queued:
                self.cancelled.add(subject)
            return reply(202, outcome="cancelled" if age < self.queued else "not_cancellable")
        if subject in self.cancelled:
            return reply(status="cancelled")
        if age < self.queued:
            return reply(status="in_queue", queue_position=2)
        if age < self.queued + self.running:
            return reply(status="in_progress")
        return reply(status="completed") if kind == "status" else reply(**self.ending)
