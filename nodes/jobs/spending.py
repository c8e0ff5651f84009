"""What the jobs of a journal have cost, and which of it counts towards the budget of 24 hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, case, cast, func, select, update

from ..runcomfy.request import GenerationRequest
from .budget import PER_USD, Purchase
from .clock import Clock
from .errors import BudgetReached
from .events import dollars
from .postgres import PostgresDatabase
from .records import JOBS, State
from .sqlite import SqliteDatabase

DAY: Final = 86400.0
MAX_UNPRICED: Final = 50
"""Videos in 24 hours whose price nobody knows."""
CLOCK_SET: Final = 3600.0
"""Seconds by which the clock is off when somebody must have set it."""
_FREE: Final = (State.REFUSED, State.CANCELLED)
_PRICE: Final = func.coalesce(cast(func.round(JOBS.c.cost * PER_USD), BigInteger), JOBS.c.estimate)
"""What a job has cost, or else was expected to, in millionths of a US dollar; null where neither is known."""
_IS_UNPRICED: Final = case((_PRICE.is_(None), 1), else_=0)


@dataclass(frozen=True)
class Spent:
    """What counts of 24 hours."""

    amount: int
    """What the videos have cost, or else were expected to, in millionths of a US dollar."""
    unpriced: int
    """How many more there are, of which neither is known."""
    frees_at: float | None = None
    """When the first of the amount will not count any more, in seconds since the epoch; None where there is none."""


class Spending:
    """Of one journal. May be used from any thread.

    Args:
        now: seconds since the epoch, by the clock of the journal.
        clock: goes on whatever that one is set to.
    """

    def __init__(self, database: SqliteDatabase | PostgresDatabase, now: Callable[[], float], clock: Clock) -> None:
        self._database = database
        self._now = now
        self._clock = clock
        self._ahead: float | None = None
        """By how much that one was ahead when it was last counted and that was written; None: not yet."""
        self._ahead_now = 0.0

    def refusal(self, connection: Connection, now: float, purchase: Purchase) -> BudgetReached | None:
        """Why a video may not be bought now; None where it may.

        To be asked inside the transaction that writes the intent, so that two that start at once cannot both pass. It
        is to be committed whatever the answer, and then `counted` to be called.
        """
        self._recount(connection, now)
        limit, price = purchase.limit, purchase.estimate
        if not limit.amount:
            return None
        counted = _spent(connection, now)
        least = 1 if price is None else price
        excess = counted.amount + least - limit.amount
        if excess > 0:
            costs = "what this video costs is unknown" if price is None else f"this video costs about {_usd(price)}"
            when = _frees_at(connection, now, excess) if least <= limit.amount else None
            return BudgetReached(
                f"Not submitted: {costs}, and {_usd(counted.amount)} of {_usd(limit.amount)} have been spent in the "
                "last 24 hours.",
                f"Raise the limit in {limit.place}",
                when,
            )
        if price is None and counted.unpriced >= MAX_UNPRICED:
            when = _frees_at(connection, now, counted.unpriced - MAX_UNPRICED + 1, _IS_UNPRICED)
            return BudgetReached(
                f"Not submitted: what this video costs is unknown, as it was of {counted.unpriced} videos in the last "
                "24 hours.",
                f"Set the limit in {limit.place} to 0, which is no limit",
                when,
            )
        return None

    def counted(self) -> None:
        """Note that what counts anew is written."""
        self._ahead = self._ahead_now

    def spent(self) -> Spent:
        """What counts now. Raises `JournalUnusable`."""

        def look(connection: Connection) -> Spent:
            now = self._now()
            self._recount(connection, now)
            return replace(_spent(connection, now), frees_at=_frees_at(connection, now))

        found = self._database.transact(look)
        self.counted()
        return found

    def costs(self, request: GenerationRequest, limit: int = 50) -> list[float]:
        """What the latest successful jobs of the same size and length have cost, newest first, in US dollars, as far as
        the service has told. Raises `JournalUnusable`."""
        kind = (JOBS.c.resolution == request.resolution) & (JOBS.c.duration == request.duration)
        query = select(JOBS.c.cost).where(kind, JOBS.c.state.in_([State.SUCCEEDED, State.SAVED, State.EXPIRED]))
        query = query.order_by(JOBS.c.id.desc()).limit(limit)
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
    return created | anew, JOBS.c.state.not_in(_FREE)


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
