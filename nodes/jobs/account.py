"""What the jobs of one account work with: the service and its limits, the journal, threads, folders and the price."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, ParamSpec, TypeVar

from ..runcomfy.client import RunComfy
from ..runcomfy.errors import RateLimited
from ..runcomfy.responses import ModelInfo
from ..video.download import Download
from .budget import Limit
from .claims import Claims
from .clock import Clock
from .events import dollars
from .journal import Journal
from .records import JobRecord, State
from .waiting import MAX_RETRY_AFTER, Backoff, Executors, PollSchedule, ScheduleFor

P = ParamSpec("P")
T = TypeVar("T")

DEADLINE: Final = 30 * 60.0
"""Seconds; many times what the longest video takes, so that only a queue makes a run wait for so long."""
BEST_BEFORE: Final = 3600.0
"""Seconds after which the price is asked for again."""
RETRY_AFTER: Final = 60.0
"""The same where there was no answer, without which the budget cannot be kept."""


@dataclass(frozen=True)
class Account:
    client: RunComfy
    name: str
    """Tells accounts apart; not the token."""
    origin: str
    """The service, normalised."""
    journal: Journal
    claims: Claims
    reports: Reports
    executors: Executors
    rate_limiter: RateLimiter
    price: ListPrice
    clock: Clock
    folder: Path
    """Where the videos go."""
    open_download: Callable[[Path], Download]
    check_before_submit: Callable[[], None] = lambda: None
    """Raises `SeedanceError` for what would keep the video from arriving; blocks for milliseconds."""
    schedule: ScheduleFor = PollSchedule.learnt
    limit: Callable[[], Limit] = Limit
    """How much may be spent in a day. Blocks, and raises `JobError`."""
    max_jobs: int = 0
    """That may be at the service at once, over all servers that share the journal; 0 for any number."""
    deadline: float = DEADLINE
    """Seconds that one run waits for a job."""
    random: Random = field(default_factory=Random)


class RateLimiter:
    """Lets calls through until the service limits one, and then none before the time that it asked for is over.

    A limited service sees no more calls at once than there are threads, however many jobs wait. For any thread.
    """

    def __init__(self, clock: Clock, backoff: Backoff) -> None:
        self._clock = clock
        self._backoff = backoff
        self._opens = 0.0
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises `RateLimited` where a call would be of no use by now; it names the seconds to wait."""
        if (left := self._opens - self._clock.monotonic()) > 0:
            raise RateLimited(left)

    def call(self, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Make a call, unless it is of no use by now. Raises `RateLimited` for this call or one before, as `check`."""
        self.check()
        try:
            result = call(*args, **options)
        except RateLimited as error:
            with self._lock:
                now, asked = self._clock.monotonic(), error.retry_after
                # Calls that were under way together are limited together; that is one failure.
                at_once = self._opens > now
                pause = min(asked or 0.0, MAX_RETRY_AFTER) if at_once else self._backoff.pause(asked)
                self._opens = max(self._opens, now + pause)
            raise RateLimited(self._opens - now, error.subject) from None
        self._backoff.reset()
        return result


class Reports:
    """Which bad ends this server has raised, and which prompts were queued by then. A restart forgets both, and the
    queue. May be used from any thread."""

    def __init__(self, server: str) -> None:
        self.server = server
        """The same after a restart: by it the journal knows who has reported an unknown outcome."""
        self._queued: dict[str, frozenset[str] | None] = {}
        """By the record's uid, the prompts that were queued when its end was first raised; None: nobody has read it."""
        self._lock = threading.Lock()

    def add(self, record: JobRecord, queued: frozenset[str]) -> None:
        """Note that the end of a job was raised to a user, whose prompts that are ``queued`` were so before."""
        with self._lock:
            if self._queued.get(record.uid) is None:
                self._queued[record.uid] = queued

    def note_unread(self, record: JobRecord) -> None:
        """Note that what was raised about a job did not reach anybody."""
        with self._lock:
            self._queued[record.uid] = None

    def unread(self, records: Iterable[JobRecord], prompt_id: str, just_ended: frozenset[int]) -> frozenset[int]:
        """The ids of the records whose bad end nobody can have read when a prompt was queued. Those in ``just_ended``
        have ended after that, if at all: this run has waited for them, or another is about to raise."""

        def is_unread(record: JobRecord) -> bool:
            queued = self._queued.get(record.uid, frozenset())
            by_another = record.state is State.UNKNOWN_REPORTED and record.reported_by != self.server
            return record.id in just_ended or by_another or queued is None or prompt_id in queued

        bad = (State.UNKNOWN_REPORTED, State.FAILED, State.EXPIRED)
        return frozenset(record.id for record in records if record.state in bad and is_unread(record))


class ListPrice:
    """The list price of a model, asked for in the background, and anew when the answer is old. For any thread."""

    def __init__(self, ask: Callable[[], Future[ModelInfo]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._answer: Future[ModelInfo] | None = None
        self._asked = 0.0
        self._known = ModelInfo()
        self._lock = threading.Lock()

    def answer(self) -> Future[ModelInfo]:
        """The latest answer, which may still be on its way."""
        with self._lock:
            now, answer = self._clock.monotonic(), self._answer
            if answer is None or now - self._asked > (RETRY_AFTER if _has_failed(answer) else BEST_BEFORE):
                self._asked, answer = now, self._ask()
                self._answer = answer
            return answer

    def known(self) -> ModelInfo:
        answer = self.answer()
        if answer.done():
            # It is an extra; whatever is wrong shows at the calls that matter.
            self._known = ModelInfo() if _has_failed(answer) else answer.result()
        return self._known

    def text(self) -> str:
        """What is known by now, as people write it: `$0.02 per second`, or nothing."""
        return price_of(self.known())


def _has_failed(answer: Future[ModelInfo]) -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)


def price_of(model: ModelInfo) -> str:
    """The price as people write it; nothing where the service does not tell it in full."""
    if model.base_price_usd is None or not model.price_unit:
        return ""
    return f"{dollars(model.base_price_usd)} per {model.price_unit.removeprefix('per ')}"
