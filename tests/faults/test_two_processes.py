"""Two processes are given the same request at once: one buys, both get the video."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nodes.rehearsal import Timing
from tests.faults.generations import SPAWN, Process
from tests.support.postgres import on_both
from tests.support.real_engine import fast
from tests.support.rehearsal import RehearsalService

ROUNDS = 5


@on_both
def test_two_processes_at_once_share_one_job(tmp_path: Path, database: Callable[[], str]) -> None:
    """In PostgreSQL they are two servers, each with a folder of its own."""
    tokens = [f"round {number}" for number in range(ROUNDS)]
    with (
        RehearsalService(tokens=tokens, timing=Timing(queued=1, running=4), clock=fast) as service,
        Process(SPAWN) as one,
        Process(SPAWN) as two,
    ):
        for number, token in enumerate(tokens):
            url = database()
            folders = [tmp_path / token / (str(server) if url else "") for server in (1, 2)]
            both = [
                process.start(service.origin, folder, token, journal_url=url)
                for process, folder in zip((one, two), folders, strict=True)
            ]
            reports = [generation.result() for generation in both]
            assert [report.outcome for report in reports] == ["video", "video"], reports
            assert [submission.account for submission in service.submissions] == list(range(number + 1))
            for folder in folders:
                assert [file.suffix for file in (folder / "videos").iterdir()] == [".mp4"]
            # The second one waited, rather than coming too late to be of interest.
            if any("waiting for it" in line for report in reports for line in report.lines):
                return
    pytest.fail("the two never met")
