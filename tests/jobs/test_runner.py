"""The same request finds its own job; nothing is bought twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nodes.jobs.errors import JobExpired, JobFailed, JournalUnusable
from nodes.jobs.job import Video
from nodes.jobs.records import RequestKey, State
from nodes.jobs.video_files import request_id_of
from tests.support.fake_runcomfy import BOAT
from tests.support.job_records import intend, record_in
from tests.support.machine import FakeMachine, NewMachine
from tests.support.postgres import on_both


def side_by_side(*runs: Coroutine[object, object, Video]) -> list[Video | BaseException]:
    """What becomes of each."""

    async def all_of_them() -> list[Video | BaseException]:
        return await asyncio.gather(*runs, return_exceptions=True)

    return asyncio.run(all_of_them())


@on_both
def test_a_finished_video_is_loaded_without_a_call(machine: FakeMachine, tmp_path: Path) -> None:
    """In PostgreSQL also by another server whose output folder is the same one."""
    first = machine.run()
    calls = len(machine.service.calls)
    with closing(FakeMachine(tmp_path / "another server", machine.clock, machine.journal_url)) as server:
        server.change(folder=machine.account.folder)
        for each in (machine, server) if machine.journal_url else (machine,):
            assert each.run() == replace(first, elapsed=0.0, reused=True)
        assert (len(machine.service.calls), server.service.calls) == (calls, [])


def test_an_old_job_that_is_back_is_loaded_while_its_request_is_made_anew(new_machine: NewMachine) -> None:
    """Its record has no room among the unfinished ones."""
    for state in (State.EXPIRED, State.CANCELLED, State.SURPLUS):
        machine = new_machine()
        account, journal = machine.account, machine.journal
        key = RequestKey.of(BOAT, account=account.name, origin=account.origin)
        old = record_in(state, journal, key)
        if state is not State.SURPLUS:  # beside which there is one
            intend(journal, key)
        machine.service.accepted[old.request_id] = 0.0
        machine.fetch(old.request_id)
        anew, back = machine.records()
        assert (anew.state, anew.cost) == (State.INTENDED, None), state
        assert (back.state, back.cost, back.media_host) == (State.SAVED, 0.03, "media"), state


def test_another_request_is_another_job(machine: FakeMachine) -> None:
    machine.run()
    changes: Any = [{"text": "B"}, {"seed": 1}, {"duration": 3}, {"ratio": "1:1"}, {"resolution": "720p"}]
    for number, change in enumerate(changes, 2):
        assert machine.run(replace(BOAT, **change)).request_id == f"job-{number}", change


def test_what_becomes_of_a_job_that_was_taken_over_is_written_down(machine: FakeMachine) -> None:
    """Else every later run would tell of the same failure, and never buy."""
    machine.abandon()
    good, machine.service.ending = machine.service.ending, {"status": "failed"}
    machine.change(name="a new token")
    machine.failed(JobFailed)
    assert machine.states() == ["failed"]
    machine.service.ending = good
    assert machine.run().request_id == "job-2"


def test_a_service_that_never_had_the_job_does_not_make_its_owner_buy_again(machine: FakeMachine) -> None:
    """A job of the live account is looked for with another account's token; that costs nothing."""
    machine.abandon()
    machine.service.forgotten.add("job-1")
    machine.change(name="another account")
    with pytest.raises(JobExpired):
        machine.fetch("job-1")
    machine.service.forgotten.clear()
    machine.change(name="account")
    assert machine.run().request_id == "job-1"
    assert machine.service.count("submit") == 1


def test_two_runs_side_by_side_share_one_job(machine: FakeMachine) -> None:
    one, two = side_by_side(machine.generate(), machine.generate())
    assert isinstance(one, Video)
    assert isinstance(two, Video)
    assert one.files == two.files
    assert sorted((one.reused, two.reused)) == [False, True]
    assert machine.service.count("submit") == 1
    assert machine.said("being generated already; waiting for it") == 1


def test_a_run_that_waited_for_a_failed_one_takes_over(machine: FakeMachine) -> None:
    machine.change(deadline=17.0)
    results = side_by_side(machine.generate(), machine.generate())
    assert machine.service.count("submit") == 1
    assert sum(isinstance(result, Video) for result in results) == 1


def test_a_job_is_fetched_by_its_id_into_its_record_if_it_has_one(machine: FakeMachine) -> None:
    machine.service.accepted["job-77"] = machine.clock.now
    video = machine.fetch("job-77")
    assert [request_id_of(file) for file in video.files] == ["job-77"]
    assert machine.service.count("submit") == 0
    assert machine.states() == []
    assert machine.fetch("job-77").reused
    machine.abandon()
    assert machine.fetch("job-1").request_id == "job-1"
    assert machine.states() == ["saved"]


def test_an_id_that_the_service_does_not_have_is_said(machine: FakeMachine) -> None:
    with pytest.raises(JobExpired, match="no longer has this job"):
        machine.fetch("job-404")
    assert machine.service.count("status") == 1, "it is said at once"


def test_a_spoilt_journal_hides_no_finished_file(machine: FakeMachine) -> None:
    file = machine.run().files[0]
    machine.records()  # with the last record written, nobody opens the journal again
    machine.journal.close()
    (machine.folder / "private" / "jobs.sqlite3").write_bytes(b"not a database" * 500)
    machine.failed(JournalUnusable)
    assert machine.fetch("job-1").files == (file,)
    assert machine.service.count("submit") == 1
