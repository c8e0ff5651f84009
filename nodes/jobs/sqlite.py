"""The journal's database in one SQLite file, private to its user. Also converts the first version's journal."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, text
from sqlalchemy.pool import QueuePool

from ..files import make_private_folder
from ..texts import Text
from .clock import Clock
from .database import Database
from .errors import JournalUnusable
from .records import UNFINISHED, State, read_request
from .tables import JOBS, VERSION, upgrade

_PASSING: Final = ("disk i/o error", "unable to open")
OLD_TABLE: Final = "jobs_of_version_1"
_KEPT: Final = ("id", "request", "request_id", "created", "changed", "seconds", "cost", "reason")


class SqliteDatabase(Database):
    """One transaction runs at a time. Without a file it lives in memory, for this process alone."""

    def __init__(self, file: Path | None, clock: Clock) -> None:
        super().__init__(str(file or "in memory"), clock)
        self._file = file
        self._reopens = file is not None
        self._identity: tuple[int, int] | None = None
        """Device and inode of the file that is open."""

    def now(self) -> float:
        """Seconds since the epoch, by the clock of the machine that the file is on."""
        return self._clock.wall()

    def _opened(self) -> Engine:
        """As in `Database`, but notices that the file was replaced or deleted: SQLite would go on writing to the old
        file. A deleted one is refused until `close` is called, which is when a user has read of it.
        """
        if self._file and self._engine:
            try:
                if _identity(self._file) != self._identity:
                    self.close()
            except FileNotFoundError:
                raise JournalUnusable(self._name, Text("errors.journalUnusable.reasons.gone")) from None
        return super()._opened()

    def _new_engine(self) -> Engine:
        if self._file:
            _create(self._file)
            # Before it is opened: if it is replaced in between, the next look notices.
            self._identity = _identity(self._file)
        engine = create_engine(
            URL.create("sqlite", database=str(self._file or ":memory:")),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=self.BUSY_SECONDS,
            connect_args={"check_same_thread": False, "timeout": self.BUSY_SECONDS},
        )
        event.listen(engine, "connect", _set_up)
        return engine

    def _begin(self, connection: Connection, *, is_exclusive: bool) -> None:  # noqa: ARG002  there is one kind
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _version(self, connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    def _upgrade(self, connection: Connection) -> None:
        """As in `Database`, but raises `JournalUnusable` also while a process of the first version uses the file."""
        version = self._check(connection)
        upgrade(connection)
        if 0 < version < 4:
            if self._file and _old_process_lives(self._file.parent / "owners"):
                raise JournalUnusable(self._name, Text("errors.journalUnusable.reasons.older"))
            _convert(connection)
        if version < VERSION:
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")

    def _is_passing(self, error: Exception) -> bool:
        return isinstance(error, PermissionError) or any(word in str(error).lower() for word in _PASSING)


def _create(file: Path) -> None:
    """Make the file and its folder, readable by its user only. SQLite itself would use the user's default mode."""
    make_private_folder(file.parent)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    if os.name == "posix":
        with suppress(OSError):  # somebody else's, or a file system without modes
            file.chmod(0o600)


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions begin where this pack says, not where sqlite3 guesses
    # Not WAL, which network drives cannot do. Everything committed must survive a power cut, on macOS too.
    for pragma in ("journal_mode = TRUNCATE", "synchronous = FULL", "fullfsync = ON"):
        with suppress(sqlite3.OperationalError):  # another process has it open in another mode: either is safe
            connection.execute(f"PRAGMA {pragma}").fetchall()


def _identity(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_dev, found.st_ino


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
        request = read_request(row["request"])
        converted = {name: row[name] for name in _KEPT} | {
            "files": json.loads(row["files"]),
            "uid": secrets.token_hex(16),
            "request_key": key,
            "account": account,
            "origin": "",
            "state": state,
            "resolution": request and request.resolution,
            "duration": request and request.duration,
            "price": row.get("price") or "",
        }
        connection.execute(insert(JOBS).values(converted))
    connection.exec_driver_sql(f"ALTER TABLE jobs RENAME TO {OLD_TABLE}")
