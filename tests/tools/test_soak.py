"""A soak in miniature, so that the real one works when it is needed; and its comparison finds what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nodes.jobs.records import JobRecord, RequestKey, State
from nodes.rehearsal import JobState
from nodes.runcomfy.request import GenerationRequest
from tests.support.rehearsal import Submission
from tools.soak.__main__ import soak
from tools.soak.ledger import Ledger

SECONDS = 8.0
BOAT = GenerationRequest("A paper boat")
KEY = RequestKey("boat", "account", "")
SAVED = JobRecord(1, "1", KEY, "", State.SAVED, BOAT, "job-1", files=("job-1.mp4",))
SECOND = replace(SAVED, id=2, request_id="job-2", files=("job-2.mp4",))
UNKNOWN = JobRecord(3, "3", KEY, "", State.UNKNOWN_REPORTED, BOAT)
MADE = Submission("job-1", 0, BOAT.body(), JobState.SUCCEEDED)
OTHER = replace(MADE, request_id="job-2")
REFUSED = GenerationRequest("Another boat")


def test_a_short_soak_costs_no_job(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert soak(tmp_path, SECONDS, seed=2, with_browser=False) == []
    printed = capfd.readouterr().out
    for expected in ("1 of ComfyUI", "1 single refused by the budget", "1 upscale success"):
        assert expected in printed, printed


def test_the_comparison_finds_what_was_lost_or_bought_twice() -> None:
    missing = "job-2 is succeeded at the service and not in the journal"
    table: list[tuple[list[JobRecord], list[Submission], list[str]]] = [
        ([SAVED, replace(UNKNOWN, request=REFUSED)], [MADE], []),
        ([SAVED, UNKNOWN], [MADE, OTHER], []),
        ([SAVED], [MADE, OTHER], [missing]),
        ([SAVED, replace(UNKNOWN, request=REFUSED)], [MADE, OTHER], [missing]),
        ([SAVED], [], ["job-1 is saved in the journal and unknown to the service"]),
        ([SAVED, SECOND], [MADE, OTHER], ["bought 2 times: job-1, job-2"]),
    ]
    for number, (journal, service, expected) in enumerate(table):
        ledger = Ledger(tuple(journal), tuple(service), {"job-1.mp4", "job-2.mp4"})
        assert ledger.problems() == expected, number
    left_over = {"job-1.mp4", ".job-2.mp4.part"}
    assert Ledger((SAVED,), (MADE,), left_over).problems() == [".job-2.mp4.part is left over"]
    assert Ledger((SAVED,), (MADE,), set()).problems() == ["job-1.mp4 is in the journal and not on disk"]
