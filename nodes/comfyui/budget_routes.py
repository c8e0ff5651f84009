"""What the browser asks about money: what a run would cost, how much may be spent, and how much is.

Answers under the same rule as the settings panel's routes. What is in `jobs` is imported when somebody asks.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from ..runcomfy.errors import InvalidRequest
from ..runcomfy.request import MAX_COUNT, GenerationRequest, validate_number

if TYPE_CHECKING:
    from ..engine import Engine

MAX_QUOTE: Final = 100_000
"""Bytes of a request, which has the text of a video in it."""

Asked = Mapping[str, object]


@dataclass(frozen=True)
class QuoteAnswer:
    """As `Quote`, in US dollars, with what was asked for."""

    kind: str
    usd: float | None
    is_base: bool
    videos: int
    to_buy: int
    duration: int
    resolution: str


@dataclass(frozen=True)
class BudgetAnswer:
    """The budget of 24 hours, in US dollars."""

    limit: float
    """0: there is none."""
    spent: float
    by_environment: bool
    """Whether an environment variable sets it, whatever is saved."""
    frees_at: str | None
    """When the first of what is spent will not count any more: ISO 8601, UTC."""


@dataclass(frozen=True)
class BudgetRoutes:
    """The answers. All block."""

    engine: Callable[[], Engine]

    def table(self) -> tuple[tuple[str, str, Callable[[Asked], object]], ...]:
        """Method, path and answer of each route."""
        return (
            ("POST", "/seedance/quote", self.quote),
            ("GET", "/seedance/budget", lambda _: self.budget()),
            ("POST", "/seedance/budget", self.save),
        )

    def quote(self, asked: Asked) -> QuoteAnswer:
        """What a Seedance Text to Video node would cost; for one video where its text is not known before it runs."""
        text, count = asked.get("text"), asked.get("count", 1)
        options = {name: asked[name] for name in ("resolution", "ratio", "duration", "seed") if name in asked}
        # What comes through a link can be any text, so it is one here that no job has.
        options["text"] = secrets.token_hex() if text is None else text
        first = GenerationRequest(**options)  # type: ignore[arg-type]  # it checks them all
        if problem := validate_number("count", count, 1, MAX_COUNT):
            raise InvalidRequest(problem)
        number = 1 if text is None or not isinstance(count, int) else count
        requests = [replace(first, seed=first.seed + place) for place in range(number)]
        rehearsal, reuse = asked.get("mode") == "rehearsal", asked.get("reuse", True) is True
        found = self.engine().quote(requests, rehearsal=rehearsal, reuse=reuse)
        return QuoteAnswer(
            kind=found.kind.value,
            usd=_usd(found.amount),
            is_base=found.is_base,
            videos=found.videos,
            to_buy=found.to_buy,
            duration=first.duration,
            resolution=first.resolution,
        )

    def budget(self) -> BudgetAnswer:
        engine = self.engine()
        limit, spent = engine.budget.limit(), engine.journal.spending.spent()
        moment = datetime.fromtimestamp(spent.frees_at, timezone.utc) if spent.frees_at else None
        return BudgetAnswer(
            limit=_usd(limit.amount) or 0,
            spent=_usd(spent.amount) or 0,
            by_environment=engine.budget.by_environment,
            frees_at=moment.isoformat(timespec="seconds") if moment else None,
        )

    def save(self, asked: Asked) -> BudgetAnswer:
        self.engine().budget.save(asked.get("limit"))
        return self.budget()


def _usd(amount: int | None) -> float | None:
    return None if amount is None else amount / 1_000_000
