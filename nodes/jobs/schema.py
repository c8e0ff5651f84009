"""The tables as a database is to have them."""

from __future__ import annotations

from sqlalchemy import Connection

from .line import LINE
from .records import JOBS, WAITERS

TABLES = (JOBS, WAITERS, LINE)


def create_tables(connection: Connection) -> None:
    """Add the tables, columns and indexes that a database lacks, also to what an earlier version has made."""
    for table in TABLES:
        table.create(connection, checkfirst=True)
        for index in table.indexes:
            index.create(connection, checkfirst=True)
