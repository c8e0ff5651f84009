"""The tables as a database is to have them."""

from __future__ import annotations

from sqlalchemy import Connection, inspect
from sqlalchemy.schema import CreateColumn

from .line import LINE
from .records import JOBS, WAITERS

TABLES = (JOBS, WAITERS, LINE)


def create_tables(connection: Connection) -> None:
    """Add the tables, columns and indexes that a database lacks, also to what an earlier version has made."""
    for table in TABLES:
        table.create(connection, checkfirst=True)
        present = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
        for index in table.indexes:
            index.create(connection, checkfirst=True)
