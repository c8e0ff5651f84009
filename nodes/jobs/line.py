"""At most so many jobs of an account at the service at once, over all servers that share a journal: who is next."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, Float, Integer, String, Table, delete, func, insert, select, update

from .records import JOBS, METADATA, State

LINE: Final = Table(
    "submit_line",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("owner", String(200), nullable=False, unique=True),
    Column("account", String(64), nullable=False),
    Column("until", Float, nullable=False),
)
"""Runs that wait until fewer jobs of their account are at the service, first come, first served."""

WAIT_SECONDS: Final = 30.0
"""After which a run that has not looked again counts as gone. It looks every second."""
AT_SERVICE: Final = (State.INTENDED, State.ACCEPTED, State.SURPLUS)


class NoFreePlace(Exception):
    """The account has as many jobs at the service as it may have.

    Args:
        place: of the run among those that wait, from 1.
    """

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def wait_in_line(connection: Connection, account: str, owner: str, now: float, max_jobs: int) -> NoFreePlace | None:
    """Whether a run that is to submit has to wait; None where it is its turn. To be called in the buying transaction.

    What counts is what a living run has claimed: the jobs of a server that died count no more when its claims lapse.
    """
    connection.execute(delete(LINE).where(LINE.c.until <= now))
    mine = LINE.c.owner == owner
    if not connection.execute(update(LINE).where(mine).values(until=now + WAIT_SECONDS)).rowcount:
        connection.execute(insert(LINE).values(owner=owner, account=account, until=now + WAIT_SECONDS))
    claimed = (JOBS.c.claim_owner > "") & (JOBS.c.claim_until > now)
    at_service = (JOBS.c.account == account) & JOBS.c.state.in_(AT_SERVICE) & claimed
    first = select(LINE.c.id).where(mine).scalar_subquery()
    ahead = (LINE.c.account == account) & (LINE.c.id < first)
    busy = connection.execute(select(func.count(JOBS.c.id)).where(at_service)).scalar_one()
    before = connection.execute(select(func.count(LINE.c.id)).where(ahead)).scalar_one()
    place = before + 1 - max(0, max_jobs - busy)
    if place > 0:
        return NoFreePlace(place)
    leave_line(connection, owner)
    return None


def leave_line(connection: Connection, owner: str) -> None:
    """A run does not wait for its turn any more."""
    connection.execute(delete(LINE).where(LINE.c.owner == owner))
