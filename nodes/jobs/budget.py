"""What a video will cost, how much the user wants to spend in 24 hours, and what has been spent in them.

Amounts are millionths of a US dollar. What has been spent is looked up inside the buying transaction, so that two that
start at once cannot both pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, case, cast, func, select, update

from ..files import make_private_folder, write_private
from ..runcomfy.request import GenerationRequest
from ..runcomfy.responses import ModelInfo
from ..texts import SETTINGS
from .clock import Clock
from .database import Database
from .errors import BudgetReached, JobError
from .events import dollars
from .records import State
from .tables import JOBS, successful

VARIABLE: Final = "SEEDANCE_MAX_USD_PER_DAY"
PER_USD: Final = 1_000_000
DEFAULT: Final = 50 * PER_USD
LARGEST: Final = 1_000_000 * PER_USD
PRICE_SECONDS: Final = 4.0
"""For which the list price is waited for."""
DAY: Final = 86400.0
MAX_UNPRICED: Final = 50
"""Videos in 24 hours whose price nobody knows."""
CLOCK_SET: Final = 3600.0
"""Seconds by which the clock is off when somebody must have set it."""
FREE: Final = (State.REFUSED, State.CANCELLED)
_PRICE: Final = func.coalesce(cast(func.round(JOBS.c.cost * PER_USD), BigInteger), JOBS.c.estimate)
"""What a job has cost, or else was expected to, in millionths of a US dollar; null where neither is known."""
_IS_UNPRICED: Final = case((_PRICE.is_(None), 1), else_=0)
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
    estimate: int | None = None
    """None where no price could be learnt."""
    limit: Limit = Limit()


UNLIMITED: Final = Purchase()


@dataclass(frozen=True)
class BudgetSetting:
    """The limit that the user has set: the environment's, else the one in a file beside the token."""

    file: Path
    environment: Mapping[str, str]

    @property
    def by_environment(self) -> bool:
        return bool(self.environment.get(VARIABLE, "").strip())

    def limit(self) -> Limit:
        """The limit in use. Raises `JobError`: then nothing may be bought."""
        if self.by_environment:
            return Limit(_read(self.environment[VARIABLE], VARIABLE), VARIABLE)
        try:
            return Limit(_read(self.file.read_text(encoding="utf-8", errors="replace"), SETTINGS))
        except FileNotFoundError:
            return Limit(DEFAULT)
        except OSError as error:
            raise JobError(key="unreadableBudget", reason=f"{error.strerror}", file=f"{self.file}") from None

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
    if 0 <= usd <= LARGEST / PER_USD:
        return max(micros(usd), usd > 0)  # next to nothing is not 0, which is no limit
    raise JobError(key="invalidBudget", place=place)


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
    """What a video will cost at most: as much as the dearest of the latest ones of its kind, and the list's price."""
    return max([*map(micros, costs), *([] if base is None else [base])], default=None)


@dataclass(frozen=True)
class Spent:
    amount: int
    """What the videos of 24 hours have cost, or else were expected to, in millionths of a US dollar."""
    unpriced: int
    """How many more there are, of which neither is known."""
    frees_at: float | None = None
    """When the first of the amount will not count any more, in seconds since the epoch; None where there is none."""


class Spending:
    """Of one journal. May be used from any thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        """Goes on whatever the database's is set to."""
        self._ahead: float | None = None
        """By how much the database's was ahead when it was last counted and that was written; None: not yet."""
        self._ahead_now = 0.0

    def refusal(self, connection: Connection, now: float, purchase: Purchase) -> BudgetReached | None:
        """Why a video may not be bought now; None where it may.

        The transaction is to be committed whatever the answer, and then `note_recounted` to be called.
        """
        self._recount(connection, now)
        limit, price = purchase.limit, purchase.estimate
        if not limit.amount:
            return None
        counted = _spent(connection, now)
        least = 1 if price is None else price
        excess = counted.amount + least - limit.amount
        if excess > 0:
            when = _frees_at(connection, now, excess) if least <= limit.amount else None
            amounts = {"spent": _usd(counted.amount), "limit": _usd(limit.amount), "place": limit.place}
            if price is None:
                return BudgetReached("budgetReachedUnpriced", when, **amounts)
            return BudgetReached("budgetReached", when, price=_usd(price), **amounts)
        if price is None and counted.unpriced >= MAX_UNPRICED:
            when = _frees_at(connection, now, counted.unpriced - MAX_UNPRICED + 1, _IS_UNPRICED)
            return BudgetReached("tooManyUnpriced", when, count=f"{counted.unpriced}", place=limit.place)
        return None

    def note_recounted(self) -> None:
        """Note that what counts anew is written."""
        self._ahead = self._ahead_now

    def spent(self) -> Spent:
        """What counts now. Raises `JournalUnusable`."""

        def look(connection: Connection) -> Spent:
            now = self._database.now()
            self._recount(connection, now)
            return replace(_spent(connection, now), frees_at=_frees_at(connection, now))

        found = self._database.transact(look)
        self.note_recounted()
        return found

    def costs(self, request: GenerationRequest, limit: int = 50) -> list[float]:
        """What the latest successful jobs of the same size and length have cost, newest first, in US dollars, as far as
        the service has told. Raises `JournalUnusable`."""
        query = select(JOBS.c.cost).where(*successful(request)).order_by(JOBS.c.id.desc()).limit(limit)
        found = self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [cost for cost in found if cost is not None]

    def _recount(self, connection: Connection, now: float) -> None:
        """Keep a clock that was set from freeing what is spent, and from blocking it for more than 24 hours.

        What is dated later than now counts as of now; but of many, when another process has set the clock back by a
        year say, the latest day alone.
        """
        lasting = self._clock.with_sleep()
        self._ahead_now = now - lasting
        expected = now if self._ahead is None else lasting + self._ahead
        if abs(now - expected) > CLOCK_SET:
            # Forward, all stays as old as it was: a virtual machine that is put to rest each night jumps each morning.
            since = _since(expected) + (now - expected) if now > expected else now
            connection.execute(update(JOBS).where(*_counting(expected)).values(recounted=since))
        created, anew = JOBS.c.created, JOBS.c.recounted
        latest = select(func.max(created)).scalar_subquery()
        # Not "is null", for which SQLite would look at all that is in that column's index.
        is_new = func.coalesce(anew, 0.0) == 0.0
        is_later = (created > now) & (created > latest - DAY) & is_new | (anew > now)
        connection.execute(update(JOBS).where(is_later).values(recounted=now))


def _counting(now: float) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    created, anew = ((column > now - DAY) & (column <= now) for column in (JOBS.c.created, JOBS.c.recounted))
    return created | anew, JOBS.c.state.not_in(FREE)


def _since(now: float) -> ColumnElement[float]:
    anew = (JOBS.c.recounted > now - DAY) & (JOBS.c.recounted <= now)
    return case((anew, JOBS.c.recounted), else_=JOBS.c.created)


def _spent(connection: Connection, now: float) -> Spent:
    found = select(func.sum(_PRICE), func.sum(_IS_UNPRICED)).where(*_counting(now))
    amount, unpriced = connection.execute(found).one()
    return Spent(int(amount or 0), int(unpriced or 0))


def _frees_at(connection: Connection, now: float, amount: int = 1, of: ColumnElement[int] = _PRICE) -> float | None:
    """When so much of what counts will count no more; None where there is not as much."""
    since = _since(now)
    for counts_since, each in connection.execute(select(since, of).where(*_counting(now)).order_by(since)):
        amount -= each or 0
        if amount <= 0:
            return float(counts_since) + DAY
    return None


def _usd(amount: int) -> str:
    return dollars(amount / PER_USD)
