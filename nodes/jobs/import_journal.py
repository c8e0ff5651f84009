"""The jobs of one journal taken over into another."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select

from .clock import Clock
from .journal import Journal
from .records import UNFINISHED, State
from .tables import JOBS, accept, another_is_unfinished, read, record_of

AT_ONCE: Final = 500
"""Rows in a transaction, which others wait for."""


def import_journal(file: Path, journal: Journal, clock: Clock) -> tuple[int, int]:
    """Take over all jobs of a journal in SQLite that another does not have.

    Returns:
        How many were taken over, and how many were there already.

    Raises:
        JournalUnusable: one of the two cannot be used. What was taken over stays so, and the rest comes the next time.
    """
    source = Journal(file, clock)
    try:
        # Ids beside either that could not be written yet; first of the one that may have its files in the same folder.
        journal.write_pending()
        source.write_pending()
        query = select(JOBS).order_by(JOBS.c.id)
        rows = source.database.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])
    finally:
        source.close()
    taken = 0
    for start in range(0, len(rows), AT_ONCE):
        taken += journal.database.transact(partial(_take_all, rows[start : start + AT_ONCE], journal))
    return taken, len(rows) - taken


def _take_all(rows: list[dict[str, object]], journal: Journal, connection: Connection) -> int:
    return sum(_take(connection, row, journal.now()) for row in rows)


def _take(connection: Connection, row: dict[str, object], now: float) -> bool:
    """Insert a row unless it is there. Whoever was at work on it goes on by the other journal, or is gone."""
    record = record_of(row)
    if read(connection, JOBS.c.uid == record.uid):
        if record.request_id:  # which it may have got since it was taken over
            accept(connection, record, record.request_id, now)
        return False
    values = {**row, "claim_owner": "", "claim_until": 0.0}
    del values["id"]
    if record.state in UNFINISHED and another_is_unfinished(connection, record):
        values["state"] = State.SURPLUS if record.request_id else State.UNKNOWN_REPORTED
    connection.execute(insert(JOBS).values(values))
    return True
