"""The list of what was bought: pages, sums, spreadsheet; and what a user may settle about an unclear job."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.errors import SeedanceError
from nodes.jobs.budget import DAY
from nodes.jobs.errors import JobError, Reports
from nodes.jobs.journal import Journal
from nodes.jobs.listing import GROUPS, PAGE, as_csv, link_request_id, page, submit_again, totals
from nodes.jobs.records import SUBMIT_SECONDS, RequestKey, State
from nodes.runcomfy.errors import NotFound
from nodes.runcomfy.request import GenerationRequest
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import intend, record_in
from tests.support.machine import FakeMachine


def key(number: int) -> RequestKey:
    return RequestKey(f"request {number}", "account", "https://runcomfy")


def test_pages_follow_each_other_from_the_newest_to_the_oldest(journal: Journal, tmp_path: Path) -> None:
    for number in range(2 * PAGE + 5):
        intend(journal, key(number))
    before, newest = None, 2 * PAGE + 5
    for length in (PAGE, PAGE, 5):
        found = page(journal, tmp_path, before=before)
        assert [job["id"] for job in found["jobs"]] == list(range(newest, newest - length, -1))
        before, newest = found["next"], newest - length
    assert before is None


def test_every_state_is_in_one_group_and_an_intent_that_nobody_ended_is_unclear(
    journal: Journal, clock: TurningClock, tmp_path: Path
) -> None:
    for number, state in enumerate(State):
        record_in(state, journal, key(number))
    listed = len(journal.records())
    for is_under_way in (True, False):
        grouped = {group: page(journal, tmp_path, group=group)["jobs"] for group in GROUPS}
        assert sum(map(len, grouped.values())) == listed
        assert {job["state"] for job in grouped["unclear"]} == {"unknown"}
        assert ("intended" in {job["state"] for job in grouped["running"]}) is is_under_way
        clock.now += SUBMIT_SECONDS + 1


def test_a_job_is_found_by_what_was_asked_for_and_by_its_id(journal: Journal, tmp_path: Path) -> None:
    texts = ["A paper boat", "Ein 100%iges Boot_fährt", "船 in the rain"]
    for number, text in enumerate(texts):
        record = intend(journal, key(number), request=GenerationRequest(text, seed=number))
        journal.accept(record, f"job-{number}x")
    boat, boot, rain = ([text] for text in texts)
    for words, expected in {"BOAT": boat, "100%": boot, "boot_f": boot, "t_p": [], "船": rain, "job-1X": boot}.items():
        found = page(journal, tmp_path, words=words)["jobs"]
        assert [job["request"]["text"] for job in reversed(found)] == expected, words


def test_only_files_that_are_there_are_listed(journal: Journal, tmp_path: Path) -> None:
    record = record_in(State.SAVED, journal, files=("there.mp4", "deleted.mp4"))
    (tmp_path / "there.mp4").touch()
    (job,) = page(journal, tmp_path)["jobs"]
    assert (job["id"], job["files"], job["request"]) == (record.id, ["there.mp4"], BOAT.body())


def test_the_sums_are_of_today_of_30_days_and_of_all(journal: Journal, clock: TurningClock) -> None:
    assert totals(journal)["all"]["videos"] == 0
    for number, (cost, days) in enumerate([(0.5, 29.5), (0.25, 5.0), (0.0, 0.0), (0.125, 0.0)]):
        record_in(State.SUCCEEDED, journal, key(number), cost=cost)
        clock.now += days * DAY
    for name, videos, cost in (("today", 1, 0.125), ("month", 2, 0.375), ("all", 3, 0.875)):
        assert totals(journal)[name] == {"videos": videos, "cost": cost}, name


def test_the_spreadsheet_runs_nothing_that_a_text_brings(journal: Journal) -> None:
    texts = ['=HYPERLINK("https://evil")', "+1", "-1", "@SUM(A1)", "plain, with a comma"]
    for number, text in enumerate(texts):
        intend(journal, key(number), request=GenerationRequest(text))
    written = as_csv(journal)
    assert "\r" not in written  # `print` writes the system's own line ends, and Windows would end lines twice
    first, *rows = csv.DictReader(written.splitlines())
    assert [row["text"] for row in (first, *rows)] == ["plain, with a comma", *(f"'{text}" for text in texts[3::-1])]
    assert (first["state"], first["duration"], first["cost_usd"]) == ("intended", "5", "")


def test_an_unclear_job_gets_the_id_that_the_service_knows(machine: FakeMachine) -> None:
    account, journal = machine.account, machine.journal
    record = record_in(State.UNKNOWN, journal)
    with pytest.raises(NotFound):
        link_request_id(account, record.id, "job-77")
    asked = len(machine.service.calls)
    with pytest.raises(JobError, match=r"submitted to https://runcomfy, which is not the service in use\. Nothing"):
        link_request_id(replace(account, origin="https://another"), record.id, "job-77")
    assert len(machine.service.calls) == asked
    machine.service.accepted["job-77"] = machine.clock.now
    link_request_id(account, record.id, "job-77")
    linked = journal.record(record.id)
    assert linked
    assert (linked.state, linked.request_id) == (State.ACCEPTED, "job-77")
    other = record_in(State.UNKNOWN_REPORTED, journal, key(2))
    known, others = "is known by now", "is another job's id"
    for number, said in ((record.id, known), (other.id, others), (999, known)):
        with pytest.raises(JobError, match=said):
            link_request_id(account, number, "job-77")


def test_who_has_read_of_an_unclear_job_may_buy_again_but_not_by_what_was_queued_before(
    journal: Journal, clock: TurningClock
) -> None:
    reports = Reports("this server", lambda: frozenset({"queued before"}))
    states = (State.UNKNOWN, State.UNKNOWN_REPORTED)
    unclear = [record_in(state, journal, key(number)) for number, state in enumerate(states)]
    unclear.append(intend(journal, key(9)))
    with pytest.raises(JobError, match="is known by now"):
        submit_again(journal, reports, unclear[-1].id)
    clock.now += SUBMIT_SECONDS + 1
    for record in unclear:
        submit_again(journal, reports, record.id)
        moved = journal.record(record.id)
        assert moved
        assert (moved.state, moved.reported_by) == (State.UNKNOWN_REPORTED, "this server")
        assert reports.unread([moved], "queued before", frozenset()) == {moved.id}
        assert reports.unread([moved], "queued after", frozenset()) == frozenset()
    settled = record_in(State.FAILED, journal, key(10))
    with pytest.raises(SeedanceError, match="is known by now"):
        submit_again(journal, reports, settled.id)
