"""What a video will cost, how much the user wants to spend in 24 hours, and what has been spent in them.

Amounts are millionths of a US dollar. What has been spent is looked up inside the buying transaction, so that two that
start at once cannot both pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from ..files import make_private_folder, write_private
from ..runcomfy.responses import ModelInfo
from ..texts import SETTINGS
from .errors import BudgetReached, JobError
from .events import dollars
from .records import State
from .tables import JOBS

BUDGET_VARIABLE: Final = "SEEDANCE_MAX_USD_PER_DAY"
PER_USD: Final = 1_000_000
DEFAULT_LIMIT: Final = 50 * PER_USD
LARGEST_LIMIT: Final = 1_000_000 * PER_USD
PRICE_SECONDS: Final = 4.0
"""How long to wait for the list price."""
DAY: Final = 86400.0
MAX_UNPRICED: Final = 50
"""Videos of unknown price that may be bought in 24 hours."""
MAX_CLOCK_DRIFT: Final = 3600.0
"""A clock that is off by more seconds than this must have been set."""
UNCHARGED: Final = (State.REFUSED, State.CANCELLED)
_OF_A_SECOND: Final = ("second", "seconds", "s")
_OF_A_VIDEO: Final = ("output", "video", "request", "generation", "run")


@dataclass(frozen=True)
class Limit:
    amount: int = 0
    """That may be spent in 24 hours; 0: there is no limit."""
    place: str = SETTINGS
    """Where it is set."""


@dataclass(frozen=True)
class Purchase:
    """What a video is expected to cost, and the limits within which it may be bought."""

    estimate: int | None = None
    """None where no price could be learnt."""
    limit: Limit = Limit()
    max_jobs: int = 0
    """Of the account that may be at the service at once; 0 for any number."""


UNLIMITED: Final = Purchase()


@dataclass(frozen=True)
class BudgetSetting:
    """The limit that the user has set: the environment's, else the one in a file beside the token."""

    file: Path
    environment: Mapping[str, str]

    def limit(self) -> Limit:
        """The limit in use. Raises `JobError`: then nothing may be bought."""
        if self.environment.get(BUDGET_VARIABLE, "").strip():
            return Limit(_read(self.environment[BUDGET_VARIABLE], BUDGET_VARIABLE), BUDGET_VARIABLE)
        try:
            return Limit(_read(self.file.read_text(encoding="utf-8", errors="replace"), SETTINGS))
        except FileNotFoundError:
            return Limit(DEFAULT_LIMIT)
        except OSError as error:
            raise JobError("unreadableBudget", reason=f"{error.strerror}", file=f"{self.file}") from None

    def save(self, usd: object) -> None:
        """Set the limit in US dollars. Raises `JobError` where it is none, and `OSError`."""
        limit = _read(f"{usd}" if isinstance(usd, int | float) and not isinstance(usd, bool) else "", SETTINGS)
        make_private_folder(self.file.parent)
        write_private(f"{limit / PER_USD}", self.file)


def _read(text: str, place: str) -> int:
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if 0 <= usd <= LARGEST_LIMIT / PER_USD:
        return max(micros(usd), usd > 0)  # next to nothing is not 0, which is no limit
    raise JobError("invalidBudget", place=place)


def micros(usd: float) -> int:
    return round(usd * PER_USD)


def in_usd(amount: int | None) -> float | None:
    return None if amount is None else amount / PER_USD


def base_price(model: ModelInfo, duration: int) -> int | None:
    """What a video of so many seconds costs at least, by the list; None where that is not known."""
    unit = model.price_unit.lower().removeprefix("per ").strip()
    if model.base_price_usd is None or unit not in (*_OF_A_SECOND, *_OF_A_VIDEO):
        return None
    return micros(model.base_price_usd * (duration if unit in _OF_A_SECOND else 1))


def estimate(costs: Sequence[float], base: int | None) -> int | None:
    """What a video will cost at most: as much as the dearest of the latest ones of its kind, and the list's price; None
    where nothing is told, as by 0: by that, any number would fit into every budget."""
    return max([*map(micros, costs), base or 0]) or None


@dataclass(frozen=True)
class Spent:
    """What counts towards the budget: the videos of 24 hours, oldest first."""

    videos: Sequence[tuple[float, int | None]]
    """Since when each counts, in seconds since the epoch, and what it has cost, or else was expected to; None where
    neither is known."""

    @property
    def amount(self) -> int:
        return sum(price or 0 for _, price in self.videos)

    def frees_at(self, amount: int = 1) -> float | None:
        """When at least ``amount`` of it will no longer count; None if there is not that much."""
        for since, price in self.videos:
            amount -= price or 0
            if amount <= 0:
                return since + DAY
        return None


def refusal(connection: Connection, now: float, purchase: Purchase) -> BudgetReached | None:
    """Why a video may not be bought now; None where it may."""
    limit, price = purchase.limit, purchase.estimate
    if not limit.amount:
        return None
    spent, least = spent_in_24_hours(connection, now), 1 if price is None else price
    if (excess := spent.amount + least - limit.amount) > 0:
        when = spent.frees_at(excess) if least <= limit.amount else None
        amounts = {"spent": _usd(spent.amount), "limit": _usd(limit.amount), "place": limit.place}
        if price is None:
            return BudgetReached("budgetReachedUnpriced", when, **amounts)
        return BudgetReached("budgetReached", when, price=_usd(price), **amounts)
    unpriced = [since for since, known in spent.videos if known is None]
    if price is None and len(unpriced) >= MAX_UNPRICED:
        when = unpriced[-MAX_UNPRICED] + DAY
        return BudgetReached("tooManyUnpriced", when, count=f"{len(unpriced)}", place=limit.place)
    return None


def count_anew(connection: Connection, now: float, expected: float) -> None:
    """If the clock was set, so that it shows ``now`` instead of what was ``expected``, keep that from freeing the
    budget, and from blocking it for more than 24 hours.

    Set forward, every job stays as old as it was: a virtual machine that rests at night jumps each morning. Set back,
    every job counts as of now, and so does any that is still dated later than now; of many such, as after a year's jump
    seen by another process, only those of the latest day.
    """
    jump = now - expected
    if abs(jump) > MAX_CLOCK_DRIFT:
        counts, since = _counting(expected)
        # When set back, not moved by the jump: each of several servers that see it would move it again.
        connection.execute(update(JOBS).where(counts).values(recounted=since + jump if jump > 0 else now))
    latest = select(func.max(JOBS.c.created)).scalar_subquery()
    # Not "is null", for which SQLite would look at all that is in that column's index.
    is_new = func.coalesce(JOBS.c.recounted, 0.0) == 0.0
    is_later = (JOBS.c.created > now) & (JOBS.c.created > latest - DAY) & is_new | (JOBS.c.recounted > now)
    connection.execute(update(JOBS).where(is_later).values(recounted=now))


def spent_in_24_hours(connection: Connection, now: float) -> Spent:
    counts, since = _counting(now)
    jobs = connection.execute(select(since, JOBS.c.cost, JOBS.c.estimate).where(counts).order_by(since))
    return Spent([(at, estimate if cost is None else micros(cost)) for at, cost, estimate in jobs])


def _counting(now: float) -> tuple[ColumnElement[bool], ColumnElement[float]]:
    """Whether a job counts, and since when."""
    created, anew = ((column > now - DAY) & (column <= now) for column in (JOBS.c.created, JOBS.c.recounted))
    since = case((anew, JOBS.c.recounted), else_=JOBS.c.created)
    return (created | anew) & JOBS.c.state.not_in(UNCHARGED), since


def _usd(amount: int) -> str:
    return dollars(amount / PER_USD)
