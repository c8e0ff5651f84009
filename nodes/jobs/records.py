"""One paid job as the journal keeps it: the states that it passes through, its record, and the tables."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Enum,
    Float,
    Index,
    Insert,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
)

from ..errors import SeedanceError
from ..runcomfy.request import GenerationRequest

SUBMIT_SECONDS: Final = 90.0
"""From the intent on, until other runs may take the submit call for ended. Its writer gives it up well before."""


class State(enum.Enum):
    """The state of a job. The value is what the journal holds; people read the name."""

    INTENDED = "intended"
    """Written before the submit call. Past its `submit_until`, nobody knows whether the service took it."""
    REFUSED = "refused"
    """Provably not accepted; nothing was charged."""
    UNKNOWN = "unknown"
    """The submit call ended unclearly, and nobody has reported that to the user yet."""
    UNKNOWN_REPORTED = "told"
    """As `UNKNOWN`, and it was reported; a run that was queued after that may submit anew."""
    ACCEPTED = "accepted"
    """The service has the job; its request id is known."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"
    """The video exists at the service, but is not on disk yet."""
    SAVED = "saved"
    """The video is on disk, checked."""
    EXPIRED = "forgotten"
    """The service no longer had the job when it was last asked."""
    SURPLUS = "surplus"
    """Accepted beside another unfinished job of the same request: cancelled if that is possible, else fetched."""


UNFINISHED: Final = frozenset({State.INTENDED, State.UNKNOWN, State.ACCEPTED, State.SUCCEEDED})
"""Of these, one request of one account and run has one record at most: a unique index of the journal."""

NOT_ACCEPTED_YET: Final = frozenset({State.INTENDED, State.REFUSED, State.UNKNOWN, State.UNKNOWN_REPORTED})
"""Over these an acceptance is always written."""

_ENDS: Final = frozenset({State.FAILED, State.CANCELLED, State.EXPIRED, State.SAVED})

_OF_ITS_RUN_ALONE: Final = _ENDS - {State.CANCELLED} | {State.INTENDED, State.REFUSED, State.ACCEPTED, State.SUCCEEDED}

TRANSITIONS: Final = {
    State.INTENDED: frozenset({State.ACCEPTED, State.REFUSED, State.UNKNOWN}),
    State.REFUSED: frozenset({State.INTENDED, State.ACCEPTED}),
    State.UNKNOWN: frozenset({State.ACCEPTED, State.UNKNOWN_REPORTED}),
    State.UNKNOWN_REPORTED: frozenset({State.ACCEPTED, State.UNKNOWN_REPORTED}),
    State.ACCEPTED: _ENDS | {State.SUCCEEDED},
    State.FAILED: frozenset[State](),
    State.CANCELLED: frozenset({State.ACCEPTED, State.SUCCEEDED}),
    State.SUCCEEDED: frozenset({State.SAVED, State.EXPIRED}),
    State.SAVED: frozenset({State.SAVED, State.EXPIRED}),
    State.EXPIRED: frozenset({State.ACCEPTED, State.SUCCEEDED, State.SAVED}),
    State.SURPLUS: _ENDS,
}
"""All changes of state but those to `SURPLUS`, which the journal makes where the unique index forbids `ACCEPTED`."""


@dataclass(frozen=True)
class RequestKey:
    """What is asked of whom. Equal for equal requests of one account."""

    request: str
    """A hash of the model and the input."""
    account: str
    """Tells accounts apart; not the token, nor anything that it could be had back from."""
    origin: str
    """The service; empty in records of the first version, which could not tell."""

    @classmethod
    def of(cls, request: GenerationRequest, *, model: str, account: str, origin: str) -> RequestKey:
        """The key under which the journal keeps all jobs of this request."""
        return cls(hash_of(model, request.canonical()), hash_of(f"{account} at {origin}")[:16], origin)


@dataclass(frozen=True)
class JobRecord:
    """One row of the journal. Times are seconds since the epoch, by the database's clock."""

    id: int
    """0 for a job that this journal does not know; whatever becomes of it is not written."""
    uid: str
    """Tells it from the rows of all other journals."""
    key: RequestKey
    run: str
    """Empty where any finished video of the request will do, else the run that wants a new one."""
    state: State
    request: GenerationRequest | None
    """None where a version with other rules has written it."""
    request_id: str = ""
    """RunComfy's id; empty until the service has accepted it."""
    created: float = 0.0
    """When it was about to be submitted."""
    changed: float = field(default=0.0, compare=False)
    """When its state was written."""
    submit_until: float = 0.0
    """After which the submit call cannot be under way any more."""
    claim_owner: str = ""
    claim_until: float = field(default=0.0, compare=False)
    """After which the claim is free unless it is renewed."""
    reported_by: str = ""
    """The server that reported the unknown outcome to its user."""
    seconds: float | None = None
    """From acceptance to the end of the job, where one run saw both."""
    cost: float | None = None
    """US dollars, where the service tells."""
    estimate: int | None = None
    """What it was expected to cost when it was submitted, in millionths of a US dollar, where that was known."""
    price: str = ""
    """The list price at the time, where the service tells: `$0.02 per second`."""
    reason: str = ""
    files: tuple[str, ...] = ()
    """Names inside the output folder of all its videos, once their number is known."""
    media_host: str = ""
    """Where the service had put the video."""

    def decides(self, run: str) -> bool:
        """Whether a run may have to do something else as this record changes: not one that wants a video of its own,
        by what others are at or have."""
        return not run or self.run == run or self.state not in _OF_ITS_RUN_ALONE


METADATA: Final = MetaData()
_STATE: Final = Enum(
    State, values_callable=lambda states: [each.value for each in states], native_enum=False, length=16
)

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
    Column("estimate", BigInteger),
    # Since when it counts towards the budget anew, where that is not since it was created: a clock was set.
    Column("recounted", Float),
    Column("price", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("files", JSON, nullable=False, server_default="[]"),
    Column("media_host", Text, nullable=False, server_default=""),
)

WAITERS: Final = Table(
    "job_waiters",
    METADATA,
    Column("job", Integer, primary_key=True),
    Column("owner", String(200), primary_key=True),
    Column("until", Float, nullable=False),
)
"""Runs that wait for a job that another run has claimed: as long as one lives, Stop does not cancel it."""

_unfinished = JOBS.c.state.in_(sorted(UNFINISHED, key=lambda state: state.value))
_one = (JOBS.c.account, JOBS.c.request_key, JOBS.c.run)
# The first version's table has indexes of other names, which stay with it.
Index("one_unfinished_job", *_one, unique=True, sqlite_where=_unfinished, postgresql_where=_unfinished)
Index("jobs_of_a_request", JOBS.c.request_key, JOBS.c.id)
Index("jobs_of_an_id", JOBS.c.request_id)
Index("jobs_of_a_kind", JOBS.c.resolution, JOBS.c.duration, JOBS.c.id)
Index("jobs_of_a_claim", JOBS.c.claim_owner)
Index("jobs_of_a_service", JOBS.c.origin, JOBS.c.id)
Index("jobs_of_a_time", JOBS.c.created)
Index("jobs_counted_anew", JOBS.c.recounted)


def hash_of(*parts: str) -> str:
    """A hash that differs where any of the parts differs."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def read_request(written: str) -> GenerationRequest | None:
    """A request as it was written down; None where a version with other rules wrote it: that must hide no other row."""
    try:
        return GenerationRequest(**json.loads(written))
    except (SeedanceError, ValueError, TypeError):
        return None


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


def insertion(uid: str, key: RequestKey, run: str, request: GenerationRequest) -> Insert:
    """Inserts the row of a job, with what it is known by and what is asked for."""
    known_by = insert(JOBS).values(uid=uid, request_key=key.request, account=key.account, origin=key.origin, run=run)
    return known_by.values(request=request.canonical(), resolution=request.resolution, duration=request.duration)
