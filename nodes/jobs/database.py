"""The journal's file: SQLite, private to its user, brought to this version's tables when it is opened."""

from __future__ import annotations

import os
import sqlite3
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock

MIGRATIONS: Final = (
    """
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        state TEXT NOT NULL,
        request TEXT NOT NULL,
        request_id TEXT,
        created REAL NOT NULL,
        changed REAL NOT NULL,
        seconds REAL,
        cost REAL,
        reason TEXT NOT NULL DEFAULT '',
        files TEXT NOT NULL DEFAULT '[]'
    );
    CREATE INDEX jobs_by_fingerprint ON jobs (fingerprint, id);
    CREATE INDEX jobs_by_request_id ON jobs (request_id);
    CREATE TABLE leases (fingerprint TEXT PRIMARY KEY, owner TEXT NOT NULL);
    """,
    "ALTER TABLE jobs ADD COLUMN price TEXT NOT NULL DEFAULT ''",
    """
    ALTER TABLE jobs ADD COLUMN resolution TEXT;
    ALTER TABLE jobs ADD COLUMN duration INTEGER;
    CREATE INDEX jobs_by_kind ON jobs (resolution, duration, id);
    """,
)
"""One script per schema version; only ever appended to."""


def connect(file: Path | None) -> sqlite3.Connection:
    """Open a journal, or one in memory where ``file`` is None.

    Raises `sqlite3.Error`, `OSError`, or filelock's `Timeout`, which is one.
    """
    if file:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            # SQLite would create it with the user's default mode; its -wal and -shm files follow this one's.
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        for place in (file.parent, file):
            with suppress(OSError):  # somebody else's, or a file system without modes
                place.chmod(place.stat().st_mode & 0o700)
    database = sqlite3.connect(str(file or ":memory:"), timeout=10, isolation_level=None, check_same_thread=False)
    try:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise sqlite3.DatabaseError("it was written by a newer version of this pack")
        if version < len(MIGRATIONS):
            # SQLite does not wait for others while it switches to WAL.
            with FileLock(f"{file}.lock", timeout=10, thread_local=False) if file else nullcontext():
                _migrate(database)
        # An entry must survive a power cut before the submit call is made; on macOS that takes the second one.
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA fullfsync = ON")
    except BaseException:
        database.close()
        raise
    return database


def _migrate(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("BEGIN IMMEDIATE")
    # Read again: another process may have migrated it while this one waited.
    (version,) = database.execute("PRAGMA user_version").fetchone()
    for script in MIGRATIONS[version:]:
        for statement in script.split(";"):
            database.execute(statement)
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    database.commit()
