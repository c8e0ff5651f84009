"""What running some requests now would cost, and the list price of the model."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from ..runcomfy.responses import ModelInfo
from .budget import base_price, micros
from .claims import Claims
from .decide import Do, Situation, decide
from .events import dollars
from .records import JobRecord, Order, State
from .tables import JOBS
from .video_files import VideoFolder
from .waiting import Clock

REFRESH_SECONDS: Final = 3600.0
"""Seconds after which the price is asked for again."""
RETRY_SECONDS: Final = 60.0
"""The same where there was no answer, without which the budget cannot be kept."""


class QuoteKind(Enum):
    """What stands in the way of paying, if anything does; the value is what the browser reads."""

    PRICE = "price"
    UNKNOWN = "unknown"
    """Something is to be bought, and nobody knows its price."""
    MADE = "made"
    RUNNING = "running"
    """Nothing is to be bought, since all is made already or being made."""
    REHEARSAL = "rehearsal"


@dataclass(frozen=True)
class Quote:
    kind: QuoteKind
    videos: int
    to_buy: int = 0
    """How many of them are paid for."""
    amount: int | None = 0
    """For these, in millionths of a US dollar, by what the latest job of the kind has cost, else by the list price;
    None where neither is known."""
    is_base: bool = False
    """Whether a list price is in it, to which resolution and duration may add."""


def quote(orders: Sequence[Order], claims: Claims, folder: Path, list_price: Callable[[], ModelInfo]) -> Quote:
    """What the videos would cost if they were run now. Blocks; ``list_price`` is called where nothing else tells the
    cost. Raises `JournalUnusable`."""
    records: defaultdict[str, list[JobRecord]] = defaultdict(list)
    for record in claims.journal.newest(None, JOBS.c.request_key.in_([order.key.request for order in orders])):
        records[record.key.request].append(record)
    videos = VideoFolder(folder)
    found = [_kind_if_free(order, records[order.key.request], claims, videos) for order in orders]
    bought = [order.request for order, free in zip(orders, found, strict=True) if not free]
    if not bought:
        return Quote(QuoteKind.RUNNING if QuoteKind.RUNNING in found else QuoteKind.MADE, len(orders))
    prices: dict[tuple[str, int], tuple[int | None, bool]] = {}
    for request in bought:
        if (kind := (request.resolution, request.duration)) not in prices:
            costs = claims.journal.costs(request)
            prices[kind] = (micros(costs[0]), False) if costs else (base_price(list_price(), request.duration), True)
    each = [prices[request.resolution, request.duration] for request in bought]
    amounts = [amount for amount, _ in each if amount is not None]
    if len(amounts) < len(bought):
        return Quote(QuoteKind.UNKNOWN, len(orders), len(bought), None)
    return Quote(QuoteKind.PRICE, len(orders), len(bought), sum(amounts), any(is_base for _, is_base in each))


def _kind_if_free(order: Order, found: Sequence[JobRecord], claims: Claims, videos: VideoFolder) -> QuoteKind | None:
    """How a run would come to its video without buying it; None if it would not."""
    # Asked in SQL, SQLite would go through all jobs of the service.
    records = [record for record in found if record.key.origin in ("", order.key.origin)]
    busy = frozenset(record.id for record in records if not claims.is_free(record))
    disk = {} if order.run_key else {record.id: videos.locate(record)[0] for record in records}
    action = decide(records, Situation(claims.journal.now(), order.run_key, disk=disk, busy=busy))
    if action.record is None or action.do not in (Do.LOAD, Do.RESUME, Do.WAIT, Do.RAISE_UNREADABLE):
        return None
    is_made = action.do in (Do.LOAD, Do.RAISE_UNREADABLE) or action.record.state in (State.SUCCEEDED, State.SAVED)
    return QuoteKind.MADE if is_made else QuoteKind.RUNNING


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
            if answer is None or now - self._asked > (RETRY_SECONDS if _has_failed(answer) else REFRESH_SECONDS):
                self._asked, answer = now, self._ask()
                self._answer = answer
            return answer

    def known(self) -> ModelInfo:
        answer = self.answer()
        # Whatever is wrong shows at the calls that matter; an old price is still better for the budget than none.
        if answer.done() and not _has_failed(answer):
            self._known = answer.result()
        return self._known

    def text(self) -> str:
        """The price that is known so far, for people: `$0.02 per second`, or nothing."""
        return price_text(self.known())


def _has_failed(answer: Future[ModelInfo]) -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)


def price_text(model: ModelInfo) -> str:
    """The price as people write it; nothing where the service does not tell it in full."""
    if model.base_price_usd is None or not model.price_unit:
        return ""
    return f"{dollars(model.base_price_usd)} per {model.price_unit.removeprefix('per ')}"
