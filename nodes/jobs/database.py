"""The journal's database. Every use of it is one short transaction."""

from __future__ import annotations

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, exc

from ..files import pause
from ..texts import Text
from .errors import ChangeRefused, CommitUnknown, JournalUnusable
from .tables import VERSION
from .waiting import Clock

T = TypeVar("T")

REFUSALS: Final = (exc.DataError, OverflowError, UnicodeError)
"""Raised for values that the database or its driver cannot hold."""


class Database(ABC):
    """May be used from any thread. Is opened by its first use."""

    CURE = ""
    """What helps against any error; empty if that depends on the error."""
    IS_REMOTE = False
    """Whether a connection can be lost during a commit, which may then have been made or not."""
    TRIES = 10
    PAUSE = 0.2
    """Seconds between two tries: a file is in use by a backup or a virus scanner, or a server is being restarted."""
    TRY_SECONDS = 5.0
    """After so long, no other try begins."""
    BUSY_SECONDS = 10.0
    """To wait for another thread, and then for another process. Not longer: the id of an accepted job that waits here
    is kept nowhere else yet."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._engine: Engine | None = None
        self._lock = threading.RLock()
        self._reopens = False
        """Whether it is opened again after an error: the user may have repaired or replaced it by then."""

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a transaction that excludes all others of its kind from its start, and commit it.

        It may be done again where the database was away for a moment, so it must have no effects elsewhere.

        Raises:
            IntegrityError: a constraint forbids it; nothing was written.
            CommitUnknown: the connection was lost as it was committed.
            ChangeRefused: the database cannot hold what was to be written; nothing was.
            JournalUnusable: the database cannot be read or written; nothing was written.
        """
        return self._run(work, is_exclusive=True)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` that only reads. Raises `JournalUnusable`."""
        return self._run(work, is_exclusive=False)

    @abstractmethod
    def now(self) -> float:
        """Seconds since the epoch, by the clock that all users of the database go by."""

    def close(self) -> None:
        with self._lock:
            if self._engine:
                self._engine.dispose()
            self._engine = None

    def _run(self, work: Callable[[Connection], T], *, is_exclusive: bool) -> T:
        began = self._clock.monotonic()
        for attempt in range(self.TRIES):
            is_committing = False
            try:
                with self._opened().begin() as connection:
                    self._begin(connection, is_exclusive=is_exclusive)
                    self._check_version(connection)
                    result = work(connection)
                    is_committing = True
                return result
            except exc.IntegrityError:
                raise
            except REFUSALS as error:
                raise ChangeRefused(self._name, _reason_of(error), self.CURE) from error
            except (exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
                if self._reopens:
                    self.close()
                if is_committing and is_exclusive and self.IS_REMOTE:
                    raise CommitUnknown(self._name, _reason_of(error), self.CURE) from error
                is_late = attempt == self.TRIES - 1 or self._clock.monotonic() - began > self.TRY_SECONDS
                if is_late or not self._is_transient(error):
                    raise JournalUnusable(self._name, _reason_of(error), self.CURE) from error
            if attempt:  # the first try may just have met a connection that was cut while idle
                pause(self.PAUSE)
        raise AssertionError("unreachable")

    def _check_version(self, connection: Connection) -> int:
        """The tables' version. Refuses a newer one, also if it was made while this process had them open."""
        if (version := self._version(connection)) > VERSION:
            raise JournalUnusable(self._name, Text("errors.journalUnusable.reasons.newer"))
        return version

    def _opened(self) -> Engine:
        if not self._lock.acquire(timeout=self.BUSY_SECONDS):
            raise JournalUnusable(self._name, Text("errors.journalUnusable.reasons.busy"))
        try:
            if self._engine is None:
                engine = self._new_engine()
                try:
                    with engine.begin() as connection:
                        self._begin(connection, is_exclusive=True)
                        self._upgrade(connection)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine = engine
            return self._engine
        finally:
            self._lock.release()

    @abstractmethod
    def _new_engine(self) -> Engine:
        """Opens no connection yet."""

    @abstractmethod
    def _begin(self, connection: Connection, *, is_exclusive: bool) -> None: ...

    @abstractmethod
    def _version(self, connection: Connection) -> int: ...

    @abstractmethod
    def _upgrade(self, connection: Connection) -> None:
        """Make the tables, or convert an older version's. Raises `JournalUnusable` for a newer one's."""

    @abstractmethod
    def _is_transient(self, error: Exception) -> bool:
        """Whether another try may help."""


def _reason_of(error: Exception) -> str:
    """What the database or the system says, in a line, without SQLAlchemy's statement and link."""
    if isinstance(error, exc.TimeoutError):  # no connection was free
        return Text("errors.journalUnusable.reasons.busy")
    return " ".join(str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error).split())
