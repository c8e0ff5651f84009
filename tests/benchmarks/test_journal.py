"""The benchmark of the journal, with a few jobs."""

from __future__ import annotations

from pathlib import Path

from benchmarks.journal import measure
from tests.support.postgres import Postgres


def test_a_few_jobs_on_both_databases(tmp_path: Path, postgres: Postgres) -> None:
    for url in ("", postgres.new_database()):
        took = measure(2, 2, 2, 0.0, tmp_path / "jobs.sqlite3", url)
        assert len(took) == 4, url
        assert min(took) > 0, url
