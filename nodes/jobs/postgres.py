"""The journal's database in PostgreSQL, which several servers share.

Nothing here outlives its transaction, not even prepared statements and locks, so that a pooler such as PgBouncer may be
in between.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from ..texts import Text
from .database import Database
from .errors import JournalUnusable
from .tables import VERSION, upgrade
from .waiting import Clock

T = TypeVar("T")

JOURNAL_URL: Final = "SEEDANCE_JOURNAL_URL"
"""The variable with the address of the database, where several servers share the journal."""
TIMEOUT: Final = 5
"""Seconds for a connection, and for a statement."""
ANSWER_SECONDS: Final = 2.0 * TIMEOUT
"""After so much silence a server is given up; it should have ended the statement long before."""
LIMITS: Final = (
    f"SET LOCAL statement_timeout = '{TIMEOUT}s'; "
    # A machine that vanishes in the middle of a transaction must not keep all others waiting.
    f"SET LOCAL idle_in_transaction_session_timeout = '{2 * TIMEOUT}s'"
)
# A commit is on the disk before it is acknowledged, whatever the database's owner has set for other uses.
EXCLUSIVE: Final = f"{LIMITS}; SET LOCAL synchronous_commit = on; SELECT pg_advisory_xact_lock(7332633631)"
"""The lock's number is this pack's own: "seedance" on the keys of a telephone, shortened."""
NOW: Final = "SELECT extract(epoch FROM clock_timestamp())::float8, (SELECT max(number) FROM journal_version)"
_CONNECT: Final = {
    "connect_timeout": TIMEOUT,
    "prepare_threshold": None,
    # A network that swallows everything is noticed as soon.
    "tcp_user_timeout": TIMEOUT * 1000,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}


class PostgresDatabase(Database):
    """At `postgresql://user:password@host:5432/name`. What is raised never quotes the password. Transactions that only
    read go on beside others."""

    CURE = Text("errors.journalUnusable.cures.server")
    IS_REMOTE = True

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(JOURNAL_URL, clock)
        self._url = url
        self._ahead = clock.wall() - clock.with_sleep()
        """Seconds that the database's clock is ahead of the one here that counts sleep."""

    def now(self) -> float:
        """Seconds since the epoch by the database's own clock, as it was asked in the latest transaction."""
        return self._clock.with_sleep() + self._ahead

    def _new_engine(self) -> Engine:
        url = _parse(self._url)
        self._name = f"PostgreSQL, {url.database or ''} at {url.host or 'this machine'}"
        try:
            engine = create_engine(
                url,
                # Each statement sees what was committed while the lock was waited for, whatever the database's owner
                # has set: in one view, several buyers would pass the budget.
                isolation_level="READ COMMITTED",
                connect_args=_CONNECT,
                pool_size=4,
                max_overflow=0,
                pool_timeout=TIMEOUT,
                hide_parameters=True,
            )
        except ImportError:
            cure = Text("errors.journalUnusable.cures.driver", command='pip install "psycopg[binary]"')
            raise JournalUnusable(self._name, Text("errors.journalUnusable.reasons.driver"), cure) from None
        event.listen(engine, "do_connect", _connect)
        return engine

    def _begin(self, connection: Connection, *, is_exclusive: bool) -> None:
        connection.exec_driver_sql(EXCLUSIVE if is_exclusive else LIMITS)

    def _version(self, connection: Connection) -> int:
        now, version = connection.exec_driver_sql(NOW).one()
        self._ahead = now - self._clock.with_sleep()
        return version or 0

    def _upgrade(self, connection: Connection) -> None:
        if not inspect(connection).has_table("journal_version"):  # else a user who may make none is refused even so
            connection.exec_driver_sql("CREATE TABLE journal_version (number integer NOT NULL)")
        if self._check_version(connection) < VERSION:
            upgrade(connection)
            connection.exec_driver_sql("DELETE FROM journal_version")
            connection.exec_driver_sql("INSERT INTO journal_version VALUES (%s)", (VERSION,))

    def _is_transient(self, error: Exception) -> bool:
        """Whether there was no connection, or none any more; not where the database itself refuses."""
        # 57P: the server is going down or coming up. 25P03: it has ended a transaction in which nothing happened.
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        return isinstance(error, DBAPIError) and (state is None or state.startswith(("57P", "25P03")))


def _connect(_: object, __: object, arguments: list[Any], options: dict[str, Any]) -> object:
    """A connection that never waits forever, even if the server is paused or the network is gone."""
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
    if not (parsed and named and re.fullmatch(r"[\w.:%-]*", parsed.host or "") and url.count("@") <= 1):
        cure = Text("errors.journalUnusable.cures.address", example="postgresql://user:password@host:5432/name")
        raise JournalUnusable(JOURNAL_URL, Text("errors.journalUnusable.reasons.address"), cure) from None
    return parsed.set(drivername="postgresql+psycopg")
