"""The journal's tables, how a record becomes a row and is read again, and steps that transactions share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Column, Connection, Float, Index, Integer, String, Text
from sqlalchemy.schema import CreateColumn

from ..runcomfy.request import GenerationRequest
from .records import CLAIM_SECONDS, NOT_ACCEPTED_YET, UNFINISHED, JobRecord, Order, RequestKey, State, read_request

VERSION: Final = 6
"""Of the tables. 1 to 3 are the first version's, 4 knew no budget, and up to 5 a process checked it only once."""
METADATA: Final = sa.MetaData()
AT_SERVICE: Final = (State.INTENDED, State.ACCEPTED, State.SURPLUS)
_STATE: Final = sa.Enum(
    State, values_callable=lambda states: [each.value for each in states], native_enum=False, length=16
)

JOBS: Final = sa.Table(
    # Not a name of an earlier version: a process of it that still runs must fail, not buy.
    "paid_jobs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column("request_key", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("origin", String(300), nullable=False),
    Column("run", String(64), nullable=False, server_default=""),
    Column("state", _STATE, nullable=False),
    Column("request", Text, nullable=False),
    Column("resolution", String(8)),
    Column("duration", Integer),
    Column("request_id", String(128)),
    Column("created", Float, nullable=False),
    Column("changed", Float, nullable=False),
    Column("submit_until", Float, nullable=False, server_default="0"),
    Column("claim_owner", String(200), nullable=False, server_default=""),
    Column("claim_until", Float, nullable=False, server_default="0"),
    Column("reported_by", String(200), nullable=False, server_default=""),
    Column("seconds", Float),
    Column("cost", Float),
    Column("estimate", sa.BigInteger),
    # Since when it counts towards the budget anew, where that is not since it was created: a clock was set.
    Column("recounted", Float),
    Column("price", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("files", sa.JSON, nullable=False, server_default="[]"),
    Column("media_host", Text, nullable=False, server_default=""),
)

WAITING: Final = sa.Table(
    "waiting_runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("owner", String(200), nullable=False, unique=True),
    Column("job", Integer),
    Column("account", String(64)),
    Column("until", Float, nullable=False),
)
"""Runs that wait for a job that another run has claimed: as long as one lives, Stop does not cancel it. And, without a
job, runs that wait until fewer jobs of their account are at the service, in their order."""

_unfinished = JOBS.c.state.in_(sorted(UNFINISHED, key=lambda state: state.value))
_of_one_run = (JOBS.c.account, JOBS.c.request_key, JOBS.c.run)
# The first version's indexes have other names, and stay with its table. On PostgreSQL, an earlier version does not
# check for a newer one: these names keep it from making its tables again, and buying by them.
Index("one_unfinished_job", *_of_one_run, unique=True, sqlite_where=_unfinished, postgresql_where=_unfinished)
Index("jobs_of_a_request", JOBS.c.request_key, JOBS.c.id)
Index("jobs_of_an_id", JOBS.c.request_id)
Index("jobs_of_a_kind", JOBS.c.resolution, JOBS.c.duration, JOBS.c.id)
Index("jobs_of_a_claim", JOBS.c.claim_owner)
Index("jobs_of_a_service", JOBS.c.origin, JOBS.c.id)
Index("costs_of_a_time", JOBS.c.created, JOBS.c.cost)
Index("jobs_in_a_state", JOBS.c.state, JOBS.c.id)
Index("jobs_counted_anew", JOBS.c.recounted)


def upgrade(connection: Connection) -> None:
    """Make the tables, or give those of an earlier version what they lack."""
    present = sa.inspect(connection).get_table_names()
    if "job_records" in present and JOBS.name not in present:
        connection.exec_driver_sql(f"ALTER TABLE job_records RENAME TO {JOBS.name}")
        connection.exec_driver_sql("DROP INDEX IF EXISTS jobs_of_a_time")
    for table in METADATA.sorted_tables:
        table.create(connection, checkfirst=True)
        columns = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
        for index in table.indexes:
            index.create(connection, checkfirst=True)


def record_of(row: Mapping[Any, Any]) -> JobRecord:
    """The record in a row, by the names of its columns."""
    read: dict[str, Any] = {
        "key": RequestKey(row["request_key"], row["account"], row["origin"]),
        "request": read_request(row["request"]),
        "request_id": row["request_id"] or "",
        "files": tuple(row["files"]),
    }
    same = {each.name: row[each.name] for each in fields(JobRecord) if each.name not in read}
    return JobRecord(**same, **read)


def insertion(uid: str, order: Order) -> sa.Insert:
    """Inserts the row of a job, with what it is known by and what is asked for."""
    key, asked = order.key, order.request
    known_by = {"request_key": key.request, "account": key.account, "origin": key.origin, "run": order.run_key}
    kind = {"resolution": asked.resolution, "duration": asked.duration}
    return sa.insert(JOBS).values(uid=uid, request=asked.canonical(), **known_by, **kind)


def newest(connection: Connection, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[JobRecord]:
    query = sa.select(JOBS).where(*conditions).order_by(JOBS.c.id.desc()).limit(limit)
    return [record_of(row) for row in connection.execute(query).mappings()]


def successful(request: GenerationRequest) -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions for jobs of the same size and length that got a video."""
    ended = JOBS.c.state.in_([State.SUCCEEDED, State.SAVED, State.EXPIRED])
    return JOBS.c.resolution == request.resolution, JOBS.c.duration == request.duration, ended


def find(connection: Connection, condition: sa.ColumnElement[bool]) -> JobRecord | None:
    return next(iter(newest(connection, condition, limit=1)), None)


def accept(connection: Connection, record: JobRecord, now: float) -> JobRecord:
    """As `Journal.accept`, of a record with its id; does nothing where the acceptance is written already."""
    mine = JOBS.c.uid == record.uid
    other = find(connection, (JOBS.c.request_id == record.request_id) & ~mine)
    if find(connection, mine) is None:
        row = insertion(record.uid, Order(record.request or GenerationRequest("(unknown)"), record.key, record.run))
        created = {"created": record.created, "changed": now, "estimate": record.estimate}
        connection.execute(row.values(state=State.REFUSED, **created))
    if other:
        reason = f"RunComfy named another job's id, {record.request_id}."
        unclear = sa.update(JOBS).where(mine, JOBS.c.state == State.INTENDED)
        connection.execute(unclear.values(state=State.UNKNOWN, reason=reason))
    else:
        state = allowed_state(connection, record, State.ACCEPTED)
        accepted = sa.update(JOBS).where(mine, JOBS.c.state.in_(NOT_ACCEPTED_YET))
        connection.execute(accepted.values(state=state, request_id=record.request_id, changed=now))
    return find(connection, mine) or record


def allowed_state(connection: Connection, record: JobRecord, state: State) -> State:
    """``state``, or what to write instead where that is an unfinished one, and another job of the same request, account
    and run is unfinished already: the unique index allows one."""
    unfinished = of_same_order(record.key, record.run) & JOBS.c.state.in_(UNFINISHED)
    if state not in UNFINISHED or find(connection, unfinished & (JOBS.c.uid != record.uid)) is None:
        return state
    return State.SURPLUS if record.request_id else State.UNKNOWN_REPORTED


def of_same_order(key: RequestKey, run_key: str) -> sa.ColumnElement[bool]:
    """Whether a job is of the same request, account and run."""
    return (JOBS.c.account == key.account) & (JOBS.c.request_key == key.request) & (JOBS.c.run == run_key)


def take_over(connection: Connection, rows: Sequence[Mapping[Any, Any]], now: float) -> int:
    """Insert rows of another journal, unless they are there; returns how many. Their claims are dropped: who holds one
    goes on with the other journal, or is gone."""
    taken = 0
    for row in rows:
        record = record_of(row)
        if find(connection, JOBS.c.uid == record.uid):
            if record.request_id:  # which it may have got since it was taken over
                accept(connection, record, now)
            continue
        state = allowed_state(connection, record, record.state)
        values = {**row, "state": state, "claim_owner": "", "claim_until": 0.0}
        del values["id"]
        connection.execute(sa.insert(JOBS).values(values))
        taken += 1
    return taken


def wait_in_line(connection: Connection, account: str, owner: str, now: float, max_jobs: int) -> int:
    """The place of a run that is to submit among those that wait, from 1; 0 where it is its turn: first come, first
    served. Nobody waits where ``max_jobs`` is 0.

    What counts is what a living run has claimed: the jobs of a server that died count no more when its claims lapse.
    A run that waits in line is renewed with the claims, and asks every second, so that asking again writes nothing.
    """
    if not max_jobs:
        return 0
    waiting = (WAITING.c.account == account) & WAITING.c.job.is_(None) & is_current(WAITING.c.until, now)
    line = list(connection.execute(sa.select(WAITING.c.owner).where(waiting).order_by(WAITING.c.id)).scalars())
    claimed = (JOBS.c.claim_owner > "") & is_current(JOBS.c.claim_until, now)
    at_service = (JOBS.c.account == account) & JOBS.c.state.in_(AT_SERVICE) & claimed
    busy = connection.execute(sa.select(sa.func.count(JOBS.c.id)).where(at_service)).scalar_one()
    place = [*line, owner].index(owner) + 1 - max(0, max_jobs - busy)
    if place <= 0:
        remove_waiting(connection, owner)
    elif owner not in line:
        add_waiting(connection, owner, now, account=account)
    return max(0, place)


def is_current(until: sa.ColumnElement[float], now: float) -> sa.ColumnElement[bool]:
    """Whether a claim or a wait has not lapsed, by when it ends."""
    # One that ends later than any made now was made before the clock was set back.
    return (until > now) & (until <= now + 2 * CLAIM_SECONDS)


def add_waiting(connection: Connection, owner: str, now: float, *, job: int | None = None, account: str = "") -> None:
    """Note what a run waits for, replacing what it waited for before: a job or, without one, its turn to submit."""
    connection.execute(sa.delete(WAITING).where(~is_current(WAITING.c.until, now) | (WAITING.c.owner == owner)))
    connection.execute(sa.insert(WAITING).values(owner=owner, job=job, account=account, until=now + CLAIM_SECONDS))


def remove_waiting(connection: Connection, owner: str) -> None:
    connection.execute(sa.delete(WAITING).where(WAITING.c.owner == owner))
