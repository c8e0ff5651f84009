"""The journal's tables, for SQLAlchemy Core, and the way of a record into a row and back."""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Column, Float, Index, Integer, MetaData, Row, String, Table, Text

from ..runcomfy.request import GenerationRequest
from .records import JobRecord, RequestKey, read_request
from .states import UNFINISHED, State

METADATA: Final = MetaData()

JOBS: Final = Table(
    # Not "jobs", which the first version writes to: a process of it that still runs must fail, not buy.
    "job_records",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column("request_key", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("origin", String(300), nullable=False),
    Column("run", String(64), nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
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
    Column("price", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("files", Text, nullable=False, server_default="[]"),
    Column("media_host", Text, nullable=False, server_default=""),
)
"""Times are seconds since the epoch by the database's clock, costs US dollars, `files` a JSON list of names."""

WAITERS: Final = Table(
    "job_waiters",
    METADATA,
    Column("job", Integer, primary_key=True),
    Column("owner", String(200), primary_key=True),
    Column("until", Float, nullable=False),
)
"""Runs that wait for a job that another run has claimed: as long as one lives, Stop does not cancel it."""

_unfinished = JOBS.c.state.in_(sorted(state.value for state in UNFINISHED))

# The first version's table has indexes of other names, which stay with it.
Index(
    "one_unfinished_job",
    *(JOBS.c.account, JOBS.c.request_key, JOBS.c.run),
    unique=True,
    sqlite_where=_unfinished,
    postgresql_where=_unfinished,
)
Index("jobs_of_a_request", JOBS.c.request_key, JOBS.c.id)
Index("jobs_of_an_id", JOBS.c.request_id)
Index("jobs_of_a_kind", JOBS.c.resolution, JOBS.c.duration, JOBS.c.id)


def identity_columns(uid: str, key: RequestKey, run: str, request: GenerationRequest) -> dict[str, object]:
    """What the row of a job is known by, and what is asked for."""
    return {
        "uid": uid,
        "request_key": key.request,
        "account": key.account,
        "origin": key.origin,
        "run": run,
        "request": request.canonical(),
        "resolution": request.resolution,
        "duration": request.duration,
    }


def changed_columns(changes: dict[str, object]) -> dict[str, object]:
    """Fields of a record as columns of its row."""
    return {name: json.dumps(value) if name == "files" else value for name, value in changes.items()}


def record_of(row: Row[Any]) -> JobRecord:
    """The record in a row."""
    found = row._mapping
    same = ("id", "uid", "run", "created", "changed", "submit_until", "claim_owner", "claim_until", "reported_by")
    told = ("seconds", "cost", "price", "reason", "media_host")
    return JobRecord(
        **{name: found[name] for name in (*same, *told)},
        key=RequestKey(found["request_key"], found["account"], found["origin"]),
        state=State(found["state"]),
        request=read_request(found["request"]),
        request_id=found["request_id"] or "",
        files=tuple(json.loads(found["files"])),
    )
