"""The state machine: what may become of a record, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from nodes.jobs.journal import Journal
from nodes.jobs.records import State
from tests.support.fake_runcomfy import TurningClock
from tests.support.job_records import KEY, record_in
from tests.support.postgres import on_both

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


@pytest.fixture
def journal(database: Callable[[], str]) -> Iterator[Journal]:
    journal = Journal(None, TurningClock(), database())
    yield journal
    journal.close()


@on_both
def test_a_record_moves_only_in_the_allowed_ways_and_only_once(journal: Journal) -> None:
    for before, after in itertools.product(State, State):
        record = record_in(before, journal, replace(KEY, request=f"from {before} to {after}"))
        if after.value not in WAYS[before.value].split():
            with pytest.raises(ValueError, match=f"{before.value} cannot become {after.value}"):
                journal.transition(record, after)
            assert journal.row(record.id) == record
            continue
        moved = journal.transition(record, after)
        assert (moved.id, moved.state) == (record.id, after), f"{before.value} did not become {after.value}"
        for late in WAYS[before.value].split():
            # Whoever goes by what it was before changes nothing any more.
            found = journal.transition(record, State(late), reason="late")
            assert found == moved or before is after, f"{before.value}, by now {after.value}, became {late} late"


@on_both
def test_an_acceptance_is_written_over_whatever_says_that_there_was_none(journal: Journal) -> None:
    for state in State:
        record = record_in(state, journal, replace(KEY, request=state.value))
        if record.request_id:
            continue
        accepted = journal.accept(record, f"id of {state.value}")
        assert (accepted.state, accepted.request_id) == (State.ACCEPTED, f"id of {state.value}"), state.value
