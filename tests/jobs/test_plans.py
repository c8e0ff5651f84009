"""No statement of the engine reads a whole table, in a journal that has grown for years."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import Engine

from nodes.jobs.claims import Claims
from nodes.jobs.clock import SystemClock
from nodes.jobs.journal import Journal
from nodes.jobs.records import JOBS, State
from tests.support.fake_runcomfy import BOAT
from tests.support.job_records import KEY, intend, record_in
from tests.support.postgres import on_both

ROWS = int(os.environ.get("JOURNAL_ROWS", "30000"))
"""A million in `make faults`."""
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)"
FILL = text(
    f"""INSERT INTO job_records (uid, request_key, account, origin, state, request, resolution, duration, request_id,
    created, changed, seconds, files) {_NUMBERS} SELECT 'u' || i, 'r' || i, 'account', 'https://runcomfy', 'saved',
    :request, '480p', i % 10, 'old-' || i, 1e9 + i, 1e9 + i, 20, '[]' FROM n"""  # noqa: S608  names of its own
)


def fill(connection: Connection) -> None:
    """A million earlier jobs, and what the database knows of them."""
    connection.execute(FILL, {"rows": ROWS, "request": BOAT.canonical()})
    connection.exec_driver_sql("ANALYZE")


def use(journal: Journal) -> None:
    """All that a run may ask of the journal."""
    claims = Claims(journal)
    record = record_in(State.ACCEPTED, journal)
    journal.of_request(KEY)
    intend(journal, replace(KEY, request="limited"))
    journal.create([], replace(KEY, request="in line"), "", BOAT, "owner", None, 9)
    journal.accept(intend(journal, replace(KEY, request="another")), "another-id")
    claims.take(record, owner := claims.join(lambda: False))
    claims.holds(record, owner)
    claims.await_job(record, owner)
    claims.is_awaited(record)
    journal.transition(record, State.SUCCEEDED)
    journal.job("old-77")
    journal.durations(BOAT)
    journal.media_hosts("https://runcomfy")
    claims.give_back(owner)
    journal.database.transact(lambda connection: claims._put_off([owner], connection))
    claims.close()


@on_both
def test_no_statement_reads_a_whole_table(tmp_path: Path, database: Callable[[], str]) -> None:
    url = database()
    journal = Journal(tmp_path / "jobs.sqlite3", SystemClock(), url)
    journal.database.transact(fill)
    journal.records(), use(journal)  # so that nothing but the rule's own statements is seen below
    seen: list[tuple[str, object]] = []
