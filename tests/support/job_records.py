"""Records in a journal, in any state, as the engine would have written them."""

from __future__ import annotations

from sqlalchemy import Connection

from nodes.jobs.budget import UNLIMITED, Purchase
from nodes.jobs.journal import Journal
from nodes.jobs.records import JobRecord, Order, RequestKey, State
from nodes.runcomfy.request import GenerationRequest
from tests.support.fake_runcomfy import BOAT

KEY = RequestKey("request", "account", "https://runcomfy")
_STEPS = {
    State.UNKNOWN_REPORTED: (State.UNKNOWN,),
    State.SAVED: (State.ACCEPTED, State.SUCCEEDED),
    **dict.fromkeys((State.FAILED, State.CANCELLED, State.SUCCEEDED, State.EXPIRED), (State.ACCEPTED,)),
}
"""From the intent to what comes before a state."""


def intend(
    journal: Journal,
    key: RequestKey = KEY,
    *,
    run: str = "",
    request: GenerationRequest = BOAT,
    owner: str = "",
    purchase: Purchase = UNLIMITED,
) -> JobRecord:
    """A job that is about to be submitted. Raises as `Journal.create`."""
    record = journal.create(Order(request, key, run), journal.of_request(key), owner, purchase)
    assert record
    return record


def execute(journal: Journal, statement: str) -> list[tuple[object, ...]]:
    """Run a statement on the journal's own connection; its rows, if it has any."""

    def work(connection: Connection) -> list[tuple[object, ...]]:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []

    return journal.database.transact(work)


def read_only(journal: Journal) -> None:
    """What the mode of the file does for everybody but root."""
    execute(journal, "PRAGMA query_only = ON")


def record_in(
    state: State, journal: Journal, key: RequestKey = KEY, request: GenerationRequest = BOAT, /, **columns: object
) -> JobRecord:
    """A record that was led to ``state``; ``columns`` are written with its success.

    A surplus one leaves the other job of the request unfinished.
    """
    record = intend(journal, key, request=request)
    if state is State.SURPLUS:
        journal.transition(journal.transition(record, State.UNKNOWN), State.UNKNOWN_REPORTED)
        intend(journal, key)
    for step in () if state is State.INTENDED else (*_STEPS.get(state, ()), state):
        if step in (State.ACCEPTED, State.SURPLUS):
            record = journal.accept(record, f"job-{record.id}")
        else:
            record = journal.transition(record, step, **(columns if step is State.SUCCEEDED else {}))
    assert record.state is state
    return record
