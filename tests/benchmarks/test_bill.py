"""The benchmark of the bill, with a hundred jobs."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bill import measure


def test_every_question_is_asked(tmp_path: Path) -> None:
    found = measure(tmp_path, jobs=100, rounds=1)
    assert len(found) == 6
    assert min(found.values()) > 0
