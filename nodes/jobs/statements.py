"""What is done inside a transaction of the journal."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, select, update

from ..runcomfy.request import GenerationRequest
from .records import JOBS, NOT_ACCEPTED_YET, UNFINISHED, JobRecord, RequestKey, State, insertion, record_of


def of_request(connection: Connection, key: RequestKey) -> list[JobRecord]:
    """All records of a request to this service, newest first."""
    same = (JOBS.c.request_key == key.request) & JOBS.c.origin.in_([key.origin, ""])
    return [record_of(row._mapping) for row in connection.execute(select(JOBS).where(same).order_by(JOBS.c.id.desc()))]


def accept(connection: Connection, record: JobRecord, request_id: str, now: float) -> JobRecord:
    """As `Journal.accept`; does nothing where the acceptance is written already."""
    other = read(connection, (JOBS.c.request_id == request_id) & (JOBS.c.uid != record.uid))
    if read(connection, JOBS.c.uid == record.uid) is None:
        row = insertion(record.uid, record.key, record.run, record.request or GenerationRequest("(unknown)"))
        row = row.values(state=State.REFUSED, created=record.created, changed=now, estimate=record.estimate)
        connection.execute(row)
    accepted = update(JOBS).where(JOBS.c.uid == record.uid)
    if other:
        reason = f"RunComfy named another job's id, {request_id}."
        accepted = accepted.where(JOBS.c.state == State.INTENDED).values(state=State.UNKNOWN, reason=reason)
    else:
        state = accepted_state(connection, record)
        accepted = accepted.where(JOBS.c.state.in_(NOT_ACCEPTED_YET))
        accepted = accepted.values(state=state, request_id=request_id, changed=now)
    connection.execute(accepted)
    return read(connection, JOBS.c.uid == record.uid) or record


def accepted_state(connection: Connection, record: JobRecord) -> State:
    """`SURPLUS` where the unique index has room for one unfinished job only, and another has it."""
    return State.SURPLUS if another_is_unfinished(connection, record) else State.ACCEPTED


def another_is_unfinished(connection: Connection, record: JobRecord) -> bool:
    """Whether another job of the same request, account and run is."""
    same = (JOBS.c.account == record.key.account) & (JOBS.c.request_key == record.key.request)
    same &= (JOBS.c.run == record.run) & (JOBS.c.uid != record.uid)
    return read(connection, same & JOBS.c.state.in_(UNFINISHED)) is not None


def read(connection: Connection, condition: ColumnElement[bool]) -> JobRecord | None:
    """A record of which something is true."""
    row = connection.execute(select(JOBS).where(condition)).first()
    return record_of(row._mapping) if row else None
