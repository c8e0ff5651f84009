"""The comparison at the end of a soak finds what it is there to find."""

from __future__ import annotations

from dataclasses import replace

from nodes.jobs.journal import JobRecord
from nodes.jobs.states import State
from nodes.rehearsal import JobState
from nodes.runcomfy.request import GenerationRequest
from tests.support.rehearsal import Submission
from tools.soak.ledger import Books

BOAT = GenerationRequest("A paper boat")
SAVED = JobRecord(1, "boat", State.SAVED, BOAT, "job-1", files=("job-1.mp4",))
MADE = Submission("job-1", 0, BOAT.body(), JobState.SUCCEEDED)
OTHER = replace(MADE, request_id="job-2")
UNKNOWN_REPORTED = JobRecord(2, "boat", State.UNKNOWN_REPORTED, BOAT)


def problems(
    *journal: JobRecord, service: tuple[Submission, ...] = (MADE,), on_disk: tuple[str, ...] = ("job-1.mp4",)
) -> list[str]:
    return Books(journal, service, on_disk).problems()


def test_nothing_is_wrong_where_both_say_the_same() -> None:
    assert problems(SAVED) == []
    assert problems(SAVED, JobRecord(2, "boat", State.REFUSED, BOAT)) == []


def test_each_end_has_its_counterpart() -> None:
    for state, job in ((State.FAILED, JobState.FAILED), (State.CANCELLED, JobState.CANCELLED)):
        ended = JobRecord(1, "boat", state, BOAT, "job-1")
        assert problems(ended, service=(replace(MADE, state=job),)) == []
        assert len(problems(ended)) == 1


def test_a_job_that_was_left_open_is_lost() -> None:
    assert problems(replace(SAVED, state=State.ACCEPTED, files=())) == [
        "job-1 is accepted in the journal and succeeded at the service"
    ]


def test_a_video_that_is_not_there_is_lost_whatever_the_journal_says() -> None:
    arrived = replace(SAVED, state=State.SUCCEEDED, files=())
    assert problems(arrived) == []
    for entry in (SAVED, arrived):
        assert problems(entry, on_disk=()) == ["job-1.mp4 is in the journal and not on disk"]


def test_a_job_that_the_journal_does_not_know_needs_an_unknown_outcome_each() -> None:
    missing = "job-2 is succeeded at the service and not in the journal"
    assert problems(SAVED, service=(MADE, OTHER)) == [missing]
    assert problems(SAVED, UNKNOWN_REPORTED, service=(MADE, OTHER)) == []
    third = replace(MADE, request_id="job-3")
    assert len(problems(SAVED, UNKNOWN_REPORTED, service=(MADE, OTHER, third))) == 1
    of_another_request = replace(UNKNOWN_REPORTED, request=GenerationRequest("Another boat"))
    assert problems(SAVED, of_another_request, service=(MADE, OTHER)) == [missing]


def test_a_job_that_the_service_does_not_know_is_a_contradiction() -> None:
    assert problems(SAVED, service=()) == ["job-1 is saved in the journal and unknown to the service"]


def test_a_second_living_job_of_a_request_was_bought_twice() -> None:
    second = replace(SAVED, id=2, request_id="job-2", files=("job-2.mp4",))
    service, on_disk = (MADE, OTHER), ("job-1.mp4", "job-2.mp4")
    twice = problems(SAVED, second, service=service, on_disk=on_disk)
    assert twice == ["bought 2 times: job-1, job-2"]
    anew = GenerationRequest("Anew 3")
    journal = replace(SAVED, request=anew), replace(second, request=anew)
    assert problems(*journal, service=service, on_disk=on_disk) == []
