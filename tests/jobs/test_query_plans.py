"""No statement of the engine reads a whole table, in a journal that has grown for years."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import Engine

from nodes.jobs import postgres
from nodes.jobs.budget import Limit, Purchase
from nodes.jobs.claims import Claims
from nodes.jobs.journal import Journal
from nodes.jobs.listing import page
from nodes.jobs.quote import quote
from nodes.jobs.records import Order, State
from nodes.jobs.tables import JOBS
from nodes.jobs.waiting import Clock
from nodes.runcomfy.responses import ModelInfo
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import KEY, intend, record_in
from tests.support.postgres import on_both

ROWS = int(os.environ.get("JOURNAL_ROWS", "30000"))
"""A million in `make faults`."""
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)"
FILL = text(
    f"""INSERT INTO paid_jobs (uid, request_key, account, origin, state, request, resolution, duration, request_id,
    created, changed, seconds, files) {_NUMBERS} SELECT 'u' || i, 'r' || i, 'account', 'https://runcomfy', 'saved',
    :request, '480p', i % 10, 'old-' || i, 1e9 + i, 1e9 + i, 20, '[]' FROM n"""
)


def fill(connection: Connection) -> None:
    """Earlier jobs, and what PostgreSQL learns of them by itself; in SQLite nobody has it learn anything."""
    is_postgres = connection.dialect.name == "postgresql"
    if is_postgres:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.execute(FILL, {"rows": ROWS, "request": BOAT.canonical()})
    if is_postgres:
        connection.exec_driver_sql("ANALYZE")


def use(journal: Journal, folder: Path) -> None:
    """All that runs and whoever looks at the jobs may ask of the journal; but for sums and searches over all of it."""
    claims = Claims(journal)
    record = record_in(State.ACCEPTED, journal)
    journal.of_request(KEY)
    intend(journal, replace(KEY, request="limited"))
    journal.create(
        Order(BOAT, replace(KEY, request="in line")), [], "owner", Purchase(1, Limit(100_000_000), max_jobs=9)
    )
    journal.accept(intend(journal, replace(KEY, request="another")), "another-id")
    owner = claims.register(lambda: False)
    claims.acquire(record, owner)
    claims.holds(record, owner)
    claims.await_job(record, owner)
    claims.is_awaited(record)
    journal.transition(record, State.SUCCEEDED)
    journal.job("old-77")
    journal.durations(BOAT)
    journal.costs(BOAT)
    journal.spent()
    journal.media_hosts("https://runcomfy")
    for videos in (1, 200):
        orders = [Order(BOAT, replace(KEY, request=f"r{number}")) for number in range(videos)]
        quote(orders, claims, folder, ModelInfo)
    page(journal, folder, before=ROWS)
    page(journal, folder, group="unclear")
    claims.release(owner)
    claims.close()


@contextmanager
def explained() -> Iterator[list[tuple[str, str]]]:
    """Every statement about jobs while this lasts, and how the database does it."""
    found: list[tuple[str, str]] = []

    def explain(connection: Connection, _: Any, statement: str, parameters: Any, *more: object) -> None:
        if JOBS.name not in statement or statement.startswith("INSERT"):
            return
        # An update is not to be made twice; what a question throws away is known only when it is asked.
        how = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            how = "EXPLAIN ANALYZE" if statement.startswith("SELECT") else "EXPLAIN"
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(f"{how} {statement}", parameters)
            found.append((statement, "\n".join(str(row[-1]) for row in cursor.fetchall())))

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", explain)


@on_both
def test_no_statement_reads_a_whole_table(
    tmp_path: Path, database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ANSWER_SECONDS", 600.0)  # for a million rows at once
    journal = Journal(tmp_path / "jobs.sqlite3", Clock(), database())
    journal.database.transact(fill)
    with explained() as found:
        use(journal, tmp_path)
    assert len(found) > 35
    for statement, plan in found:
        assert not re.search(rf"(SCAN|Seq Scan on) {JOBS.name}", plan), (statement, plan)
        if "request_key IN" in statement.split("WHERE")[-1]:  # not all that was ever bought of the service
            assert "jobs_of_a_request" in plan, (statement, plan)
        thrown_away = [int(number) for number in re.findall(r"Removed by Filter: (\d+)", plan)]
        assert sum(thrown_away) < 100, (statement, plan)
    with explained() as found:
        journal.newest(None, JOBS.c.reason == "x")
    journal.close()
    assert re.search(rf"(SCAN|Seq Scan on) {JOBS.name}", found[0][1]), "this one does"


def test_when_a_clock_was_set_all_that_counts_is_written_at_once() -> None:
    """Nobody can buy meanwhile, and what others have to write fails after ten seconds."""
    clock, statements = TurningClock(), list[int]()
    journal = Journal(None, clock)
    for number in range(3):
        intend(journal, replace(KEY, request=f"request {number}"))
        with explained() as found:
            for hours in (2, -2):
                clock.offset += hours * 3600
                assert len(journal.spent().videos) == number + 1
        statements.append(len(found))
    assert statements == [statements[0]] * 3
