"""The journal's database in PostgreSQL, which several servers share. Every use of it is one short transaction.

Nothing here outlives its transaction, prepared statements and locks least of all, so that a pooler such as PgBouncer
may stand in between.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from .clock import Clock
from .errors import CommitUnknown, JournalUnusable
from .schema import create_tables

T = TypeVar("T")

TIMEOUT: Final = 5
"""Seconds for a connection, for a statement, and for the tries after the first."""
ANSWER_SECONDS: Final = 2.0 * TIMEOUT
"""That a server may say nothing at all, when it should have given a statement up long ago."""
TRIES: Final = 5
PAUSE: Final = 0.3
"""Seconds between two tries, while the database is being restarted or a connection was lost."""
LIMITS: Final = (
    f"SET LOCAL statement_timeout = '{TIMEOUT}s'; "
    # A machine that vanishes in the middle of a transaction must not keep all others waiting.
    f"SET LOCAL idle_in_transaction_session_timeout = '{2 * TIMEOUT}s'"
)
# A commit is on the disk before it is acknowledged, whatever the database's owner has set for other uses.
EXCLUSIVE: Final = f"{LIMITS}; SET LOCAL synchronous_commit = on; SELECT pg_advisory_xact_lock(7332633631)"
"""The lock's number is this pack's own: "seedance" on the keys of a telephone, shortened."""
NOW: Final = "SELECT extract(epoch FROM clock_timestamp())::float8"
ADVICE: Final = "Check that the database that SEEDANCE_JOURNAL_URL names runs and can be reached, and run again."
_CONNECT: Final = {
    "connect_timeout": TIMEOUT,
    "prepare_threshold": None,
    # A network that swallows everything is noticed as soon.
    "tcp_user_timeout": TIMEOUT * 1000,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}


class PostgresDatabase:
    """May be used from any thread.

    Args:
        url: `postgresql://user:password@host:5432/name`. What is raised never quotes its password.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._ahead = clock.wall() - clock.with_sleep()
        """Seconds that the database's clock is ahead of the one here that counts sleep."""

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a transaction that excludes all others of its kind from its start, and commit it.

        It may be done again where a connection was lost, so it must have no effects elsewhere.

        Raises:
            IntegrityError: a constraint forbids it; nothing was written.
            CommitUnknown: the connection was lost as it was committed.
            JournalUnusable: the database cannot be read or written; nothing was written.
        """
        return self._run(work, EXCLUSIVE)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` that only reads, beside others. Raises `JournalUnusable`."""
        return self._run(work, LIMITS)

    def now(self) -> float:
        """Seconds since the epoch by the database's own clock, as it was asked in the latest transaction."""
        return self._clock.with_sleep() + self._ahead

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            if self._engine:
                self._engine.dispose()
            self._engine = None

    def _run(self, work: Callable[[Connection], T], begin: str) -> T:
        began = self._clock.monotonic()
        for attempt in range(TRIES):
            is_committing = False
            try:
                with self._opened().connect() as connection:
                    self._begin(connection, begin)
                    result = work(connection)
                    is_committing = True
                    connection.commit()
                    return result
            except IntegrityError:
                raise
            except SQLAlchemyError as error:
                if is_committing:
                    raise CommitUnknown(_name(self._url), _reason(error), ADVICE) from error
                late = attempt == TRIES - 1 or self._clock.monotonic() - began > TIMEOUT
                if late or not _is_connection_lost(error):
                    raise JournalUnusable(_name(self._url), _reason(error), ADVICE) from error
                if attempt:  # the first may just have met a connection that was cut while nobody used it
                    threading.Event().wait(PAUSE)
        raise AssertionError("unreachable")

    def _begin(self, connection: Connection, statements: str) -> None:
        connection.exec_driver_sql(statements)
        (now,) = connection.exec_driver_sql(NOW).one()
        self._ahead = now - self._clock.with_sleep()

    def _opened(self) -> Engine:
        with self._lock:
            if self._engine is None:
                try:
                    engine = create_engine(
                        _parse(self._url),
                        # Each statement sees what was committed while the lock was waited for, whatever the database's
                        # owner has set: in one view, several buyers would pass the budget.
                        isolation_level="READ COMMITTED",
                        connect_args=_CONNECT,
                        pool_size=4,
                        max_overflow=0,
                        pool_timeout=TIMEOUT,
                        hide_parameters=True,
                    )
                    event.listen(engine, "do_connect", _connect)
                except ImportError:
                    advice = 'Install it with ComfyUI\'s Python, pip install "psycopg[binary]", and restart ComfyUI.'
                    raise JournalUnusable(_name(self._url), "the driver of PostgreSQL is missing", advice) from None
                try:
                    with engine.begin() as connection:
                        self._begin(connection, EXCLUSIVE)
                        create_tables(connection)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine = engine
            return self._engine


def _connect(_: object, __: object, arguments: list[Any], options: dict[str, Any]) -> object:
    """A connection that waits for no answer for ever, be the server paused or the network gone."""
    from psycopg import Connection, OperationalError

    class PatientConnection(Connection[Any]):
        def wait(self, gen: Generator[Any, Any, T], *rest: Any, **more: Any) -> T:
            return super().wait(self._bounded(gen), *rest, **more)

        def _bounded(self, answer: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
            ends = time.monotonic() + ANSWER_SECONDS
            try:
                wanted = next(answer)
                while True:
                    ready = yield wanted
                    if not ready and time.monotonic() > ends:  # asked several times a second
                        self.close()
                        raise OperationalError("the server does not answer")
                    wanted = answer.send(ready)
            except StopIteration as end:
                result: T = end.value
                return result

    return PatientConnection.connect(*arguments, **options)


def _parse(url: str) -> URL:
    """Raises `JournalUnusable`, which quotes nothing of the URL: any part of it may be one of a password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    # With an unescaped @ or / in the password its rest would count as the host.
    named = parsed and parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg")
    if not (parsed and named and re.fullmatch(r"[\w.:%-]*", parsed.host or "") and "@" not in (parsed.database or "")):
        advice = (
            "Write it as postgresql://user:password@host:5432/name, with special characters of the password as %40."
        )
        raise JournalUnusable("SEEDANCE_JOURNAL_URL", "this is no address of a PostgreSQL database", advice) from None
    return parsed.set(drivername="postgresql+psycopg")


def _name(url: str) -> str:
    parsed = _parse(url)
    return f"PostgreSQL, {parsed.database or ''} at {parsed.host or 'this machine'}"


def _reason(error: SQLAlchemyError) -> str:
    """What the database or its driver says, in a line, without SQLAlchemy's statement and link."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _is_connection_lost(error: SQLAlchemyError) -> bool:
    """Whether there was no connection, or none any more; not where the database itself refuses."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, DBAPIError) and (state is None or state.startswith("57P"))
