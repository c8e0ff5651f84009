"""The journal's database in one SQLite file, private to its user. Also converts the first version's journal."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, event, func
from sqlalchemy.pool import QueuePool

from ..files import make_private_folder
from ..texts import Text
from .database import Database
from .errors import JournalUnusable
from .records import UNFINISHED, State, read_request
from .tables import JOBS, VERSION, upgrade
from .waiting import Clock

_TRANSIENT: Final = ("disk i/o error", "unable to open")
OLD_TABLE: Final = "jobs_of_version_1"


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
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(self._file or ":memory:")),
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
        if (version := self._check_version(connection)) == VERSION:
            return
        upgrade(connection)
        if 0 < version < 4:
            if self._file and _old_process_lives(self._file.parent / "owners"):
                raise JournalUnusable(self._name, Text("errors.journalUnusable.reasons.older"))
            _convert(connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")

    def _is_transient(self, error: Exception) -> bool:
        return isinstance(error, PermissionError) or any(word in str(error).lower() for word in _TRANSIENT)


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
    old = sa.Table("jobs", sa.MetaData(), autoload_with=connection)
    newer, unfinished = old.alias(), [state.value for state in UNFINISHED]
    # Of two unfinished jobs of one request, where one is allowed, the newer goes on, and the other one keeps its id.
    same_request = (newer.c.fingerprint == old.c.fingerprint) & (newer.c.id > old.c.id)
    is_older = old.c.state.in_(unfinished) & sa.exists().where(same_request, newer.c.state.in_(unfinished))
    dot = func.instr(old.c.fingerprint, ".")
    values = {column.name: column for column in old.c if column.name != "fingerprint"} | {
        # The same in every copy of the file, so that none is taken over twice.
        "uid": func.printf("%.8s-%x-%x", old.c.fingerprint, old.c.id, sa.cast(old.c.created * 1000, sa.Integer)),
        "request_key": func.substr(old.c.fingerprint, 1, dot - 1),
        "account": func.substr(old.c.fingerprint, dot + 1),
        "origin": sa.literal(""),
        "state": sa.case(
            (is_older & old.c.request_id.is_(None), State.UNKNOWN_REPORTED.value),
            (is_older, State.SURPLUS.value),
            else_=old.c.state,
        ),
    }
    connection.execute(sa.insert(JOBS).from_select(list(values), sa.select(*values.values())))
    # Only version 3 had columns for these, and filled them of its own jobs alone.
    for number, written in connection.execute(sa.select(JOBS.c.id, JOBS.c.request)).all():
        if request := read_request(written):
            kind = {"resolution": request.resolution, "duration": request.duration}
            connection.execute(sa.update(JOBS).where(JOBS.c.id == number).values(kind))
    connection.exec_driver_sql(f"ALTER TABLE jobs RENAME TO {OLD_TABLE}")
