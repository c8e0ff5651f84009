"""The record of every paid job, written before the money is spent, and shared by a user's ComfyUI processes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, select, update
from sqlalchemy.exc import IntegrityError

from ..runcomfy.request import GenerationRequest
from . import tables
from .budget import UNLIMITED, Purchase, Spent, count_anew, refusal, spent_in_24_hours
from .database import Database
from .errors import BudgetReached, CommitUnknown, JournalUnusable, NoFreePlace
from .pending_writes import PendingWrites
from .postgres import PostgresDatabase
from .records import CLAIM_SECONDS, NOT_ACCEPTED_YET, SUBMIT_SECONDS, TRANSITIONS, JobRecord, Order, RequestKey, State
from .sqlite import SqliteDatabase
from .tables import JOBS
from .waiting import Clock

T = TypeVar("T")

HISTORY_JOBS: Final = 50
"""How many of the latest jobs of a kind are looked at to estimate the next one."""
IMPORT_ROWS: Final = 500
"""Rows per transaction of an import, for which others wait."""


class Journal:
    """All records of one database: a SQLite file, memory if ``file`` is None, or PostgreSQL if there is a ``url``. Ids
    that cannot be written now are kept beside the file in any case. May be used from any thread; every method raises
    `JournalUnusable` if the database cannot be read, or written if need be.
    """

    def __init__(self, file: Path | None, clock: Clock, url: str = "") -> None:
        self.database: Database = PostgresDatabase(url, clock) if url else SqliteDatabase(file, clock)
        self.clock = clock
        self.pending = PendingWrites(file.parent if file else None, self._write)
        self._ahead: float | None = None
        """Seconds that the database's clock was ahead of the one here when the budget was last looked at."""
        self._refused = False
        """Whether the last call of `of_request` ended with an error."""

    def of_request(self, key: RequestKey) -> list[JobRecord]:
        """All records of a request to this service, of every account, newest first.

        A journal that was deleted in use is refused here, where a user reads it, and begun anew by the next call.
        """
        if self._refused:
            self._refused = False
            self.database.close()
        try:
            self.pending.write()
            return self.database.read(lambda connection: tables.newest(connection, *_of_request(key)))
        except JournalUnusable:
            self._refused = True
            raise

    def job(self, request_id: str) -> JobRecord | None:
        """The record of a job that the service accepted."""
        return next(iter(self.newest(1, JOBS.c.request_id == request_id)), None)

    def record(self, number: int) -> JobRecord | None:
        """The record with this `id`."""
        return next(iter(self.newest(1, JOBS.c.id == number)), None)

    def newest(self, limit: int | None, *conditions: ColumnElement[bool]) -> list[JobRecord]:
        return self.database.read(lambda connection: tables.newest(connection, *conditions, limit=limit))

    def records(self, limit: int | None = 100, *, since: float = 0.0) -> list[JobRecord]:
        """The newest records that were created since then, newest first."""
        return self.newest(limit, *([JOBS.c.created >= since] if since else []))

    def durations(self, request: GenerationRequest) -> list[float]:
        """Seconds that the latest successful jobs of the same size and length took, newest first."""
        return self._latest_known(JOBS.c.seconds, *tables.successful(request), JOBS.c.seconds.is_not(None))

    def costs(self, request: GenerationRequest) -> list[float]:
        """US dollars that the same jobs have cost, of those where the service has told."""
        return self._latest_known(JOBS.c.cost, *tables.successful(request))

    def media_hosts(self, origin: str) -> set[str]:
        """Where a service had put the latest videos: three names at most."""
        return set(islice(filter(None, self._latest_known(JOBS.c.media_host, JOBS.c.origin == origin)), 3))

    def now(self) -> float:
        return self.database.now()

    def spent(self) -> Spent:
        """What counts towards the budget now."""
        return self._transact_counted(spent_in_24_hours)

    def create(
        self, order: Order, seen: Sequence[JobRecord], owner: str, purchase: Purchase = UNLIMITED
    ) -> JobRecord | None:
        """Record durably that a request is about to be submitted; nobody else can do so meanwhile.

        Returns None if it has to be decided again by newer records. Then, and if it raises, nothing is written.

        Args:
            seen: the request's records by which that was decided.
            owner: claims the job. An earlier attempt of its own that was refused is written over.

        Raises:
            BudgetReached: by what the purchase would cost.
            NoFreePlace: there are so many already; the owner waits in line from now on.
        """
        mine = tables.of_same_order(order.key, order.run_key) & (JOBS.c.claim_owner == owner)
        intended, refused = mine & (JOBS.c.state == State.INTENDED), mine & (JOBS.c.state == State.REFUSED)

        def write(connection: Connection, now: float) -> JobRecord | BudgetReached | NoFreePlace | None:
            now_seen, run = tables.newest(connection, *_of_request(order.key)), order.run_key
            if [each for each in now_seen if each.matters_to(run)] != [each for each in seen if each.matters_to(run)]:
                return None
            if reason := refusal(connection, now, purchase):
                return reason
            if place := tables.wait_in_line(connection, order.key.account, owner, now, purchase.max_jobs):
                return NoFreePlace(place)
            times = {"created": now, "changed": now, "submit_until": now + SUBMIT_SECONDS}
            claim = {"claim_owner": owner, "claim_until": now + CLAIM_SECONDS}
            values = {"state": State.INTENDED, "estimate": purchase.estimate, "reason": "", **times, **claim}
            if not connection.execute(update(JOBS).where(refused).values(values)).rowcount:
                connection.execute(tables.insertion(secrets.token_hex(16), order).values(values))
            return tables.find(connection, intended)

        try:
            written = self._transact_counted(write)
        except IntegrityError:
            return None
        except CommitUnknown:
            # The broken transaction holds its lock until it has ended, so this one sees what became of it.
            written = self.database.transact(lambda connection: tables.find(connection, intended))
        if isinstance(written, BudgetReached | NoFreePlace):
            raise written  # not inside the transaction, which may have written what counts anew, or who waits
        return written

    def transition(self, record: JobRecord, to: State, **changes: object) -> JobRecord:
        """Move a record on, and write ``changes`` to its other columns, unless somebody else has moved it meanwhile.

        Returns the record as it is afterwards. Raises `ValueError` where a record never moves that way.
        """
        if to not in TRANSITIONS[record.state]:
            raise ValueError(f"a job that is {record.state.value} cannot become {to.value}")
        if not record.id:
            return replace(record, state=to, **changes)  # type: ignore[arg-type]  # the names are JobRecord's fields
        return self._write_or_keep(record, to, changes)

    def accept(self, record: JobRecord, request_id: str) -> JobRecord:
        """Write down the id of an accepted job, whatever was written about it meanwhile. An id is never lost: if it
        cannot be written now, it is kept and written later, but the error is still raised.

        Returns the record: `ACCEPTED`; `SURPLUS` where another job of the request is unfinished; or `UNKNOWN` where the
        id is another job's, so that this one's is not known.
        """
        return self._write_or_keep(replace(record, request_id=request_id), None, {})

    def take_over(self, file: Path) -> tuple[int, int]:
        """Take over all jobs of another journal. Returns how many, and how many were there already.

        Where it raises, what was taken over stays so, and the rest comes the next time.
        """
        query = select(JOBS).order_by(JOBS.c.id)
        with closing(Journal(file, self.clock)) as source:
            # First the ids that either keeps in files; this journal's first, since it may keep them in the same folder.
            self.pending.write()
            source.pending.write()
            rows = source.database.read(lambda connection: connection.execute(query).mappings().all())
        pieces = (rows[start : start + IMPORT_ROWS] for start in range(0, len(rows), IMPORT_ROWS))
        taken = sum(self.database.transact(partial(tables.take_over, rows=piece, now=self.now())) for piece in pieces)
        return taken, len(rows) - taken

    def close(self) -> None:
        self.database.close()

    def _latest_known(self, column: Column[T | None], *conditions: ColumnElement[bool]) -> list[T]:
        query = select(column).where(*conditions).order_by(JOBS.c.id.desc()).limit(HISTORY_JOBS)
        found = self.database.read(lambda connection: connection.execute(query).scalars().all())
        return [value for value in found if value is not None]

    def _transact_counted(self, work: Callable[[Connection, float], T]) -> T:
        """Do ``work`` in a transaction, given the time by the database's clock. If that clock was set, the jobs are
        first dated anew, so that the budget counts as if it had not been."""

        def counted(connection: Connection) -> tuple[T, float]:
            now, lasting = self.now(), self.clock.with_sleep()  # not before: it may have waited for others
            count_anew(connection, now, now if self._ahead is None else lasting + self._ahead)
            return work(connection, now), now - lasting

        found, self._ahead = self.database.transact(counted)
        return found

    def _write_or_keep(self, record: JobRecord, to: State | None, changes: Mapping[str, object]) -> JobRecord:
        try:
            if to:  # an id goes before all else
                self.pending.write()
            return self._write(record, to, changes)
        except JournalUnusable:
            self.pending.add(record, to, changes)
            raise

    def _write(self, record: JobRecord, to: State | None, changes: Mapping[str, object]) -> JobRecord:
        """Write the id of a record if it is not written yet, and then move the record to the state ``to``, if given."""

        def write(connection: Connection) -> JobRecord:
            now, mine = self.now(), JOBS.c.uid == record.uid
            before, found = record.state, tables.find(connection, mine)
            if record.request_id and (found is None or found.state in NOT_ACCEPTED_YET):
                # That it was accepted could not be written, or is lost with the file that it was written to.
                found = tables.accept(connection, record, now)
                before = found.state
            if to:
                # One that was cancelled or deleted may go on after all, while another one has been accepted.
                state = tables.allowed_state(connection, record, to)
                unmoved = update(JOBS).where(mine, JOBS.c.state == before)
                connection.execute(unmoved.values(**changes, state=state, changed=now))
                found = tables.find(connection, mine) or replace(record, state=to)
            return found or record

        return self.database.transact(write)


def _of_request(key: RequestKey) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    # Of every account, at this service.
    return JOBS.c.request_key == key.request, JOBS.c.origin.in_([key.origin, ""])
