"""Brings a journal of the first version, or a new file, to this version's tables."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout
from sqlalchemy import Connection, insert, text

from .errors import JournalUnusable
from .records import read_request
from .states import UNFINISHED, State
from .tables import JOBS, METADATA

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
            raise JournalUnusable(str(file), "an older version of this pack is still running and uses it: end it first")
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
