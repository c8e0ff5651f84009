"""The guards of money hold when many threads of many processes do the same at the same moment."""

from __future__ import annotations

from pathlib import Path

from tests.jobs.barriers import Measure, run


def test_of_all_that_race_exactly_one_buys_and_one_claims_and_no_id_is_lost(tmp_path: Path) -> None:
    print(*run(Measure(rounds=60, processes=4, threads=4), tmp_path), sep="\n")
