"""The journal's tables, for SQLAlchemy Core, and how a file of the first version becomes them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout
from sqlalchemy import Column, Connection, Float, Index, Integer, MetaData, String, Table, Text, insert, text

from .errors import JournalUnusable
from .records import read_request
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


VERSION: Final = 4
"""Of the tables. 1 to 3 are the first version's; it refuses to open anything higher."""
OLD_TABLE: Final = "jobs_of_version_1"


def migrate(connection: Connection, file: Path | None) -> None:
    """Create or convert the tables, inside the caller's transaction.

    Raises:
        JournalUnusable: a newer version has written it, or a process of the first version is still using it.
    """
    (version,) = connection.exec_driver_sql("PRAGMA user_version").one()
    if version == VERSION:
        return
    if version > VERSION:
        raise JournalUnusable(str(file), "it was written by a newer version of this pack")
    METADATA.create_all(connection)
    if version:
        if file and _old_process_lives(file.parent / "owners"):
            raise JournalUnusable(str(file), "an older version of this pack is still running and uses it")
        _convert(connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")


def _old_process_lives(owners: Path) -> bool:
    """Whether a process of the first version holds its lock file."""
    for found in owners.glob("*.lock"):
        lock = FileLock(str(found), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        except (OSError, NotImplementedError):
            continue  # no locks on this file system, so the first version could not have used it
        lock.release()
    return False


def _convert(connection: Connection) -> None:
    """Take over all jobs, then rename their table, so that an old process that still has the file open fails."""
    taken: set[tuple[str, str]] = set()
    rows = connection.execute(text("SELECT * FROM jobs ORDER BY id DESC")).mappings().all()
    for row in rows:
        key, _, account = str(row["fingerprint"]).partition(".")
        state = State(row["state"])
        if state in UNFINISHED and (key, account) in taken:
            # Two unfinished jobs of one request, where one is allowed: the newer goes on, and this one keeps its id.
            state = State.SURPLUS if row["request_id"] else State.UNKNOWN_REPORTED
        elif state in UNFINISHED:
            taken.add((key, account))
        connection.execute(insert(JOBS).values(_converted(row, key, account, state)))
    connection.exec_driver_sql(f"ALTER TABLE jobs RENAME TO {OLD_TABLE}")


def _converted(row: Mapping[Any, Any], key: str, account: str, state: State) -> dict[str, object]:
    request = read_request(row["request"])
    kept = ("id", "request", "request_id", "created", "changed", "seconds", "cost", "reason", "files")
    return {name: row[name] for name in kept} | {
        "uid": secrets.token_hex(16),
        "request_key": key,
        "account": account,
        "origin": "",
        "state": state.value,
        "resolution": request and request.resolution,
        "duration": request and request.duration,
        "price": row.get("price") or "",
    }
