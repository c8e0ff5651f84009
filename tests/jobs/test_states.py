"""The state machine: what may become of an entry, and nothing else."""

from __future__ import annotations

import itertools

import pytest

from nodes.jobs.journal import JobRecord, Journal
from nodes.jobs.states import TRANSITIONS, State
from tests.support.fake_runcomfy import BOAT

WAYS = {
    "intended": "accepted refused unknown",
    "refused": "intended",
    "unknown": "told",
    "told": "",
    "accepted": "succeeded failed cancelled forgotten",
    "failed": "",
    "cancelled": "",
    "succeeded": "saved forgotten",
    "saved": "saved forgotten",
    "forgotten": "",
}
"""Written out once more on purpose: a changed machine is a changed promise about money."""


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)), ids=lambda state: state.value)
def test_an_entry_moves_only_in_the_allowed_ways(before: State, after: State) -> None:
    journal = Journal(None)
    entry = _at(journal, before)
    if after.value in WAYS[before.value].split():
        assert journal.transition(entry, after, 2.0).state is after
        assert journal.records()[0].state is after
    else:
        with pytest.raises(ValueError, match=f"{before.value} cannot become {after.value}"):
            journal.transition(entry, after, 2.0)
        assert journal.records()[0].state is before


def test_every_state_is_reached_from_the_first_one() -> None:
    reached = {State.INTENDED}
    while more := {after for before in reached for after in TRANSITIONS[before]} - reached:
        reached |= more
    assert reached == set(State)


def _at(journal: Journal, state: State) -> JobRecord:
    """A new entry, led to ``state`` by allowed ways."""
    ways = {State.INTENDED: [State.INTENDED]}
    while state not in ways:
        ways |= {
            after: [*way, after] for before, way in list(ways.items()) for after in TRANSITIONS[before] - set(ways)
        }
    entry = journal.create("fingerprint", BOAT, 1.0)
    for step in ways[state][1:]:
        entry = journal.transition(entry, step, 1.0)
    return entry
