"""The journal's database in one SQLite file, private to its user. Every use of it is one short transaction.

Also how a file of the first version becomes one of this.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ..files import private_folder
from .clock import Clock
from .errors import JournalUnusable
from .records import JOBS, UNFINISHED, State, read_request
from .schema import create_tables

T = TypeVar("T")

BUSY_TIMEOUT: Final = 10.0
"""Seconds to wait for another thread's transaction, and then for another process'. Not more: as long as the id of an
accepted job waits here, it is nowhere else."""
TRIES: Final = 20
PAUSE: Final = 0.1
"""Seconds between two tries, when the file is in use by a backup or a virus scanner."""
_PASSING: Final = ("disk i/o error", "unable to open")
VERSION: Final = 5
"""Of the tables. 1 to 3 are the first version's, which refuses to open anything higher; 4 knew no budget."""
OLD_TABLE: Final = "jobs_of_version_1"
_KEPT: Final = ("id", "request", "request_id", "created", "changed", "seconds", "cost", "reason")


class SqliteDatabase:
    """May be used from any thread; one transaction runs at a time.

    Args:
        file: None for a database that lives in memory, for this process alone.
    """

    def __init__(self, file: Path | None, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._name = str(file or "in memory")
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._identity: tuple[int, int] | None = None
        """Device and inode of the file that is open."""

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a transaction that excludes all others from its start, and commit it.

        It may be done again where the file was in use, so it must have no effects elsewhere.

        Raises:
            IntegrityError: a constraint forbids it; nothing was written.
            JournalUnusable: the file cannot be read or written; nothing was written.
        """
        if not self._lock.acquire(timeout=BUSY_TIMEOUT):
            raise JournalUnusable(self._name, "it has been in use for too long")
        try:
            for attempt in range(TRIES):
                try:
                    self._check_file()
                    with self._opened().begin() as connection:
                        return work(connection)
                except IntegrityError:
                    raise
                except (SQLAlchemyError, sqlite3.Error, OSError) as error:
                    if self._file:
                        # Opened again for the next call: the user may have repaired it, or moved it away, by then.
                        self.close()
                    if attempt == TRIES - 1 or not _is_passing(error):
                        raise JournalUnusable(self._name, _reason(error)) from error
                    threading.Event().wait(PAUSE)
        finally:
            self._lock.release()
        raise AssertionError("unreachable")

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` that only reads. Raises `JournalUnusable`."""
        return self.transact(work)

    def now(self) -> float:
        """Seconds since the epoch, by the clock of the machine that the file is on."""
        return self._clock.wall()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._engine:
                self._engine.dispose()
            self._engine = self._identity = None

    def _check_file(self) -> None:
        """Notice that the file was replaced or deleted: SQLite would go on writing to what nobody finds any more.

        One that was deleted is refused until `close` is called, which is when a user has been told.
        """
        if not self._file or self._engine is None:
            return
        try:
            if _identity(self._file) != self._identity:
                self.close()
        except FileNotFoundError:
            raise JournalUnusable(self._name, "it was deleted or moved away while it was in use") from None

    def _opened(self) -> Engine:
        if self._engine is None:
            if self._file:
                _create(self._file)
                # Before it is opened: if it is replaced in between, the next look notices.
                self._identity = _identity(self._file)
            engine = create_engine(
                URL.create("sqlite", database=str(self._file or ":memory:")),
                poolclass=StaticPool,
                connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT},
            )
            event.listen(engine, "connect", _set_up)
            event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
            try:
                with engine.begin() as connection:
                    _migrate(connection, self._file)
            except BaseException:
                engine.dispose()
                raise
            self._engine = engine
        return self._engine


def _create(file: Path) -> None:
    """Make the file and its folder, for its user's eyes only. SQLite itself would take the user's default mode."""
    private_folder(file.parent)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    if os.name == "posix":
        with suppress(OSError):  # somebody else's, or a file system without modes
            file.chmod(0o600)


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, not where sqlite3 guesses
    # Not WAL, which network drives cannot do. Everything committed must survive a power cut, on macOS too.
    for pragma in ("journal_mode = TRUNCATE", "synchronous = FULL", "fullfsync = ON"):
        with suppress(sqlite3.OperationalError):  # another process has it open in another mode: either is safe
            connection.execute(f"PRAGMA {pragma}").fetchall()


def _identity(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_dev, found.st_ino


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, PermissionError) or any(word in str(error).lower() for word in _PASSING)


def _reason(error: BaseException) -> str:
    """What the database or the system says, without SQLAlchemy's statement and link."""
    return str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error)


def _migrate(connection: Connection, file: Path | None) -> None:
    """Create or convert the tables, inside the caller's transaction.

    Raises:
        JournalUnusable: a newer version has written it, or a process of the first version is still using it.
    """
    (version,) = connection.exec_driver_sql("PRAGMA user_version").one()
    if version > VERSION:
        raise JournalUnusable(str(file), "it was written by a newer version of this pack")
    create_tables(connection)
    if version == VERSION:
        return
    if 0 < version < 4:
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
