"""What keeps a video from being bought just now: what has been spent in 24 hours, and how many jobs are at the service.

All of it is looked up inside the buying transaction, so that two that start at once cannot both pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, case, cast, delete, func, insert, select, update

from ..runcomfy.request import GenerationRequest
from .budget import PER_USD, Purchase
from .clock import Clock
from .database import Database
from .errors import BudgetReached
from .events import dollars
from .records import State
from .tables import JOBS, WAITING, successful

DAY: Final = 86400.0
MAX_UNPRICED: Final = 50
"""Videos in 24 hours whose price nobody knows."""
CLOCK_SET: Final = 3600.0
"""Seconds by which the clock is off when somebody must have set it."""
CLAIM_SECONDS: Final = 30.0
"""That a claim on a job or a place in line lasts unless it is renewed."""
AT_SERVICE: Final = (State.INTENDED, State.ACCEPTED, State.SURPLUS)
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
        clock: goes on whatever the database's is set to.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ahead: float | None = None
        """By how much the database's was ahead when it was last counted and that was written; None: not yet."""
        self._ahead_now = 0.0

    def refusal(self, connection: Connection, now: float, purchase: Purchase) -> BudgetReached | None:
        """Why a video may not be bought now; None where it may.

        The transaction is to be committed whatever the answer, and then `counted` to be called.
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

    def counted(self) -> None:
        """Note that what counts anew is written."""
        self._ahead = self._ahead_now

    def spent(self) -> Spent:
        """What counts now. Raises `JournalUnusable`."""

        def look(connection: Connection) -> Spent:
            now = self._database.now()
            self._recount(connection, now)
            return replace(_spent(connection, now), frees_at=_frees_at(connection, now))

        found = self._database.transact(look)
        self.counted()
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


class NoFreePlace(Exception):
    """The account has as many jobs at the service as it may have.

    Args:
        place: of the run among those that wait, from 1.
    """

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def wait_in_line(connection: Connection, account: str, owner: str, now: float, max_jobs: int) -> NoFreePlace | None:
    """Whether a run that is to submit has to wait; None where it is its turn, first come, first served.

    What counts is what a living run has claimed: the jobs of a server that died count no more when its claims lapse.
    A run that waits in line is renewed with the claims, and asks every second, so that asking again writes nothing.
    """
    in_line = (WAITING.c.account == account) & WAITING.c.job.is_(None) & goes_on(WAITING.c.until, now)
    mine = select(WAITING.c.id).where(in_line, WAITING.c.owner == owner)
    if connection.execute(mine).first() is None:
        wait_for(connection, owner, now, account=account)
    claimed = (JOBS.c.claim_owner > "") & goes_on(JOBS.c.claim_until, now)
    at_service = (JOBS.c.account == account) & JOBS.c.state.in_(AT_SERVICE) & claimed
    ahead = in_line & (WAITING.c.id < mine.scalar_subquery())
    busy = connection.execute(select(func.count(JOBS.c.id)).where(at_service)).scalar_one()
    before = connection.execute(select(func.count(WAITING.c.id)).where(ahead)).scalar_one()
    place = before + 1 - max(0, max_jobs - busy)
    if place > 0:
        return NoFreePlace(place)
    wait_no_more(connection, owner)
    return None


def goes_on(until: ColumnElement[float], now: float) -> ColumnElement[bool]:
    """Whether a claim or a wait that ends then has not lapsed."""
    # One that ends later than any made now was made before the clock was set back.
    return (until > now) & (until <= now + 2 * CLAIM_SECONDS)


def wait_for(connection: Connection, owner: str, now: float, *, job: int | None = None, account: str = "") -> None:
    """Note that a run waits for a job or, without one, for its turn to submit; and for nothing else."""
    connection.execute(delete(WAITING).where(~goes_on(WAITING.c.until, now) | (WAITING.c.owner == owner)))
    connection.execute(insert(WAITING).values(owner=owner, job=job, account=account, until=now + CLAIM_SECONDS))


def wait_no_more(connection: Connection, owner: str) -> None:
    """Note that a run waits for nothing."""
    connection.execute(delete(WAITING).where(WAITING.c.owner == owner))
