"""One run at a time is at work on a job, and no claim outlives the process that had it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from nodes.jobs.budget import Purchase
from nodes.jobs.claims import Claims, server_id
from nodes.jobs.errors import JournalUnusable, NoFreePlace
from nodes.jobs.journal import Journal
from nodes.jobs.records import CLAIM_SECONDS, JobRecord, Order, State
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.hanging import PATIENCE
from tests.support.job_records import KEY, intend, read_only, record_in
from tests.support.postgres import on_both


def goes_on() -> bool:
    return False


@pytest.fixture
def claims(journal: Journal) -> Iterator[Claims]:
    claims = Claims(journal)
    yield claims
    claims.close()


@pytest.fixture
def job(journal: Journal) -> JobRecord:
    return record_in(State.ACCEPTED, journal)


def is_free(claims: Claims, job: JobRecord) -> bool:
    """By its row as it is now."""
    row = claims.journal.record(job.id)
    assert row
    return claims.is_free(row)


@on_both
def test_a_job_is_claimed_once_until_it_is_given_back(claims: Claims, job: JobRecord) -> None:
    one, two = claims.register(goes_on), claims.register(goes_on)
    claimed = claims.acquire(job, one)
    assert claimed
    assert claims.acquire(claimed, two) is None
    assert claims.acquire(job, two) is None, "by what it was before"
    assert (claims.holds(job, one), claims.holds(job, two)) == (True, False)
    claims.release(one)
    assert claims.acquire(job, two)
    claims.unregister(two)
    assert is_free(claims, job)
    claims.journal.transition(job, State.FAILED)
    assert claims.acquire(job, claims.register(goes_on)) is None, "it has moved on"


@on_both
def test_a_claim_of_elsewhere_lapses_by_the_clock_alone(claims: Claims, job: JobRecord, clock: TurningClock) -> None:
    """Nobody here can know whether a process of another machine lives."""
    there = f"another machine|1|0|{'0' * 8}|run"
    assert claims.acquire(job, there)
    assert not is_free(claims, job)
    clock.now += CLAIM_SECONDS
    assert is_free(claims, job)
    clock.now -= 86400
    assert is_free(claims, job), "the clock was set back by a day, which the job's next run must not wait for"


@on_both
def test_what_a_process_has_claimed_or_awaits_is_so_while_it_lives(
    claims: Claims, job: JobRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process id that is free here may be at work in another container of the same name."""
    living, dead = os.getpid(), 2**30
    awaited = record_in(State.ACCEPTED, claims.journal, replace(KEY, request="another"))
    for where, pid, is_alive in (("here", living, True), ("here", dead, False), ("in another container", dead, True)):
        monkeypatch.setattr("os.getpid", partial(int, pid))
        if where != "here":
            monkeypatch.setattr(Path, "read_text", lambda *_, **__: "another boot id")
        other = Claims(claims.journal)
        working, waiting = other.register(goes_on), other.register(goes_on)
        assert other.acquire(job, working), where
        other.await_job(awaited, waiting)
        assert (is_free(claims, job), claims.is_awaited(awaited)) == (not is_alive, is_alive), (where, pid)
        other.release(working)
        other.release(waiting)
        other.close()


def test_claims_and_places_in_line_are_renewed_and_what_could_not_be_written_is_written_meanwhile(
    claims: Claims, job: JobRecord, clock: TurningClock
) -> None:
    journal = claims.journal
    lost = intend(journal, replace(KEY, request="another"))
    read_only(journal)
    with pytest.raises(JournalUnusable):
        journal.accept(lost, "lost")
    journal.close()
    claimed, waiting = claims.acquire(job, claims.register(goes_on)), claims.register(goes_on)
    assert claimed
    for request, owner, place in (("third", waiting, 1), ("fourth", claims.register(goes_on), 2)):
        for _ in range(2):
            with pytest.raises(NoFreePlace) as full:
                journal.create(Order(BOAT, replace(KEY, request=request)), [], owner, Purchase(max_jobs=1))
            assert full.value.place == place
            clock.now += CLAIM_SECONDS - 1
            claims.renew()
    row = journal.record(claimed.id)
    assert row
    assert row.claim_until == clock.wall() + CLAIM_SECONDS
    assert journal.job("lost")


def test_they_are_renewed_again_and_again_from_the_first_run_on(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = threading.Semaphore(0)

    def renew(_: Claims) -> None:
        renewed.release()
        raise JournalUnusable("a file", "away for a moment")

    monkeypatch.setattr(Claims, "renew", renew)
    claims = Claims(journal, renew_seconds=0.001)
    claims.register(goes_on)
    for _ in range(3):
        assert renewed.acquire(timeout=PATIENCE)
    claims.close()


def test_a_folder_keeps_a_name_of_its_own(tmp_path: Path) -> None:
    one, two = server_id(tmp_path / "one"), server_id(tmp_path / "two")
    assert one == server_id(tmp_path / "one") != two
    (tmp_path / "file").touch()
    assert server_id(tmp_path / "file") != server_id(tmp_path / "file"), "it cannot be kept"


@on_both
def test_a_job_is_awaited_by_runs_that_go_on(claims: Claims, job: JobRecord, clock: TurningClock) -> None:
    stopped = threading.Event()
    waiting, working = claims.register(stopped.is_set), claims.register(goes_on)
    claimed = claims.acquire(job, working)
    assert claimed
    assert not claims.is_awaited(job)
    claims.await_job(job, waiting)
    assert claims.is_awaited(job)
    assert claims.acquire(job, waiting) is None
    assert claims.is_awaited(job), "it still waits"
    stopped.set()
    assert not claims.is_awaited(job), "Stop of both cancels the job"
    stopped.clear()
    clock.now += CLAIM_SECONDS
    assert not claims.is_awaited(job), "nobody has renewed it"
    claims.await_job(job, waiting)
    claims.release(working)
    assert claims.acquire(job, waiting)
    assert not claims.is_awaited(job), "it works at it itself"

    def leave() -> bool:
        claims.unregister(leaving)
        return False

    leaving = claims.register(leave)
    claims.await_job(job, leaving)
    assert not claims.is_awaited(job), "it ends while it is asked"
