"""What may become of a record, and that each is found by whoever asks: the same in every database. `test_sqlite` and
`test_postgres` have what is their own, `tests/faults` a journal that breaks at every step of a job.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from nodes.jobs.errors import JournalUnusable
from nodes.jobs.journal import Journal
from nodes.jobs.records import Order, RequestKey, State, hash_of
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import KEY, execute, intend, record_in
from tests.support.postgres import on_both

pytestmark = on_both

WAYS = {
    "intended": "accepted refused unknown",
    "refused": "intended accepted",
    "unknown": "told accepted",
    "told": "told accepted",
    "accepted": "succeeded saved failed cancelled forgotten",
    "failed": "",
    "cancelled": "accepted succeeded",
    "succeeded": "saved forgotten",
    "saved": "saved forgotten",
    "forgotten": "accepted succeeded saved",
    "surplus": "failed cancelled forgotten saved",
}
"""Written out once more on purpose: a changed machine is a changed promise about money."""


def test_a_record_moves_only_in_the_allowed_ways_and_only_once(journal: Journal) -> None:
    for before, after in itertools.product(State, State):
        record = record_in(before, journal, replace(KEY, request=f"from {before} to {after}"))
        if after.value not in WAYS[before.value].split():
            with pytest.raises(ValueError, match=f"{before.value} cannot become {after.value}"):
                journal.transition(record, after)
            assert journal.record(record.id) == record
            continue
        moved = journal.transition(record, after)
        assert (moved.id, moved.state) == (record.id, after), f"{before.value} did not become {after.value}"
        for late in WAYS[before.value].split():
            # Whoever goes by what it was before changes nothing any more.
            found = journal.transition(record, State(late), reason="late")
            assert found == moved or before is after, f"{before.value}, by now {after.value}, became {late} late"


def test_an_acceptance_is_written_over_whatever_says_that_there_was_none(journal: Journal) -> None:
    for state in (State.INTENDED, State.REFUSED, State.UNKNOWN, State.UNKNOWN_REPORTED):
        accepted = journal.accept(record_in(state, journal, replace(KEY, request=state.value)), f"id of {state.value}")
        assert (accepted.state, accepted.request_id) == (State.ACCEPTED, f"id of {state.value}")


def test_an_id_of_another_job_is_not_believed(journal: Journal) -> None:
    first = record_in(State.ACCEPTED, journal)
    second = journal.accept(intend(journal, replace(KEY, request="another")), first.request_id)
    assert (second.state, second.request_id) == (State.UNKNOWN, "")
    assert first.request_id in second.reason
    assert journal.job(first.request_id) == first


def test_an_intent_is_written_by_whoever_has_seen_all_there_is(journal: Journal) -> None:
    order, seen = Order(BOAT, KEY), journal.of_request(KEY)
    first = intend(journal, owner="owner")
    assert journal.create(order, seen, "owner") is None
    assert journal.create(order, [first], "owner") is None, "two unfinished jobs of one request"
    assert journal.create(replace(order, run_key="a run"), [first], "owner"), "a run that wants a new one"
    journal.transition(first, State.REFUSED)
    assert intend(journal, owner="owner").id == first.id, "its own attempt is written over"
    journal.transition(first, State.REFUSED)
    others = intend(journal, owner="another")
    assert others.id != first.id
    journal.transition(others, State.REFUSED)
    done = journal.transition(journal.accept(first, "job-1"), State.SUCCEEDED)
    journal.transition(done, State.SAVED)
    assert journal.create(order, [first], "owner") is None, "it was bought meanwhile"


def test_what_fails_within_a_transaction_leaves_nothing(journal: Journal) -> None:
    record = intend(journal)

    def break_off(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM paid_jobs")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        journal.database.transact(break_off)
    assert journal.records() == [record]


def test_a_record_comes_back_as_it_was_written(journal: Journal) -> None:
    record = record_in(State.SAVED, journal, cost=0.03, seconds=41.5, price="$0.02 per second", media_host="media")
    record = journal.transition(record, State.SAVED, files=("job-1.mp4", "job-1-2.mp4"))
    journal.close()
    assert journal.of_request(KEY) == journal.records() == [journal.job("job-1")] == [journal.record(1)] == [record]
    assert (record.request, record.cost, record.seconds, record.files[1]) == (BOAT, 0.03, 41.5, "job-1-2.mp4")


def test_a_request_finds_its_records_of_every_account_at_its_service(journal: Journal) -> None:
    keys = [KEY, replace(KEY, account="renewed"), replace(KEY, origin=""), replace(KEY, origin="https://another")]
    for key in (*keys, replace(KEY, request="another")):
        intend(journal, key, run=hash_of(str(key)))
    assert [record.key for record in journal.of_request(KEY)] == keys[2::-1]


def test_durations_are_those_of_the_same_kind_newest_first(journal: Journal) -> None:
    rows = [(BOAT, 10.0), (BOAT, 20.0), (BOAT, None)]
    rows += [(replace(BOAT, duration=12), 99.0), (replace(BOAT, resolution="1080p"), 99.0)]
    for number, (request, seconds) in enumerate(rows):
        record = intend(journal, RequestKey(str(number), "account", ""), request=request)
        journal.transition(journal.accept(record, f"job-{number}"), State.SUCCEEDED, seconds=seconds)
    assert journal.durations(replace(BOAT, text="another", ratio="1:1")) == [20.0, 10.0]


def test_a_row_of_other_rules_hides_no_other_row(journal: Journal) -> None:
    odd, good = record_in(State.SAVED, journal), record_in(State.SAVED, journal)
    execute(journal, f"""UPDATE paid_jobs SET request = '{{"text": "x", "duration": 99}}' WHERE id = {odd.id}""")
    assert journal.of_request(KEY) == [good, replace(odd, request=None)]


def test_a_newer_version_is_seen_also_by_a_process_that_has_the_tables_open(
    tmp_path: Path, database: Callable[[], str]
) -> None:
    url = database()
    journals = [Journal(tmp_path / "jobs.sqlite3", TurningClock(), url) for _ in range(2)]
    intend(journals[0])
    execute(journals[0], "UPDATE journal_version SET number = 99" if url else "PRAGMA user_version = 99")
    for journal in journals:
        with pytest.raises(JournalUnusable, match=r"newer version.* Nothing was charged\. Update this pack\."):
            journal.records()
        journal.close()
