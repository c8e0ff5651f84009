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
from tools.soak.vitals import BOUND, Vitals, grown

SECONDS = 8.0
BOAT = GenerationRequest("A paper boat")
KEY = RequestKey("boat", "account", "")
SAVED = JobRecord(1, "1", KEY, "", State.SAVED, BOAT, "job-1", files=("job-1.mp4",))
SECOND = replace(SAVED, id=2, request_id="job-2", files=("job-2.mp4",))
UNKNOWN = JobRecord(3, "3", KEY, "", State.UNKNOWN_REPORTED, BOAT)
MADE = Submission("job-1", 0, BOAT.body(), JobState.SUCCEEDED)
OTHER = replace(MADE, request_id="job-2")
ANEW = GenerationRequest("Anew 3")


def test_a_short_soak_costs_no_job(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert soak(tmp_path, SECONDS, seed=2) == 0, capfd.readouterr().out
    printed = capfd.readouterr().out
    assert "1 of ComfyUI" in printed
    assert "No job lost, none bought twice, nothing grew." in printed


def test_the_comparison_finds_what_was_lost_or_bought_twice() -> None:
    missing = "job-2 is succeeded at the service and not in the journal"
    table: list[tuple[list[JobRecord], list[Submission], list[str]]] = [
        ([SAVED], [MADE], []),
        ([SAVED, JobRecord(2, "2", KEY, "", State.REFUSED, BOAT)], [MADE], []),
        ([replace(SAVED, state=State.FAILED, files=())], [replace(MADE, state=JobState.FAILED)], []),
        (
            [replace(SAVED, state=State.ACCEPTED, files=())],
            [MADE],
            ["job-1 is accepted in the journal and succeeded at the service"],
        ),
        ([SAVED], [MADE, OTHER], [missing]),
        ([SAVED, UNKNOWN], [MADE, OTHER], []),
        ([SAVED, replace(UNKNOWN, request=ANEW)], [MADE, OTHER], [missing]),
        ([SAVED], [], ["job-1 is saved in the journal and unknown to the service"]),
        ([SAVED, SECOND], [MADE, OTHER], ["bought 2 times: job-1, job-2"]),
        ([replace(SAVED, request=ANEW), replace(SECOND, request=ANEW)], [MADE, OTHER], []),
    ]
    for number, (journal, service, expected) in enumerate(table):
        ledger = Ledger(tuple(journal), tuple(service), {"job-1.mp4", "job-2.mp4"})
        assert ledger.problems() == expected, number
    assert Ledger((SAVED,), (MADE,), set()).problems() == ["job-1.mp4 is in the journal and not on disk"]


def test_what_grows_beyond_the_bound_is_named() -> None:
    before = Vitals(20, 10, 30, 500)
    assert grown(before, Vitals(20 + BOUND.threads, 10, 30 + BOUND.handles, 500 + BOUND.memory)) == []
    after = Vitals(20, 11 + BOUND.sockets, 30, 501 + BOUND.memory)
    assert grown(before, after) == [f"sockets grew by {BOUND.sockets + 1}", f"memory grew by {BOUND.memory + 1}"]
