"""The list of paid jobs: in pages, as CSV, with sums; and what a user may decide about an unclear one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from .budget import in_usd
from .decide import is_under_way
from .errors import JobError, Reports
from .job import Account
from .journal import Journal
from .records import JobRecord, State
from .tables import JOBS

PAGE: Final = 30
"""Jobs."""
GROUPS: Final = {
    "running": (State.INTENDED, State.ACCEPTED, State.SURPLUS),
    "made": (State.SUCCEEDED, State.SAVED),
    "unclear": (State.INTENDED, State.UNKNOWN, State.UNKNOWN_REPORTED),
    "failed": (State.FAILED, State.REFUSED, State.CANCELLED, State.EXPIRED),
}
"""The filters of the list, and the states that each shows."""
_COLUMNS: Final = ("text", "resolution", "ratio", "duration", "seed")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run by spreadsheets; texts come from strangers' workflows."""


def page(
    journal: Journal, folder: Path, *, before: int | None = None, group: str = "", words: str = ""
) -> dict[str, Any]:
    """The newest `jobs`, and as `next` the id before which the next page begins; None after the last one.

    Args:
        before: only those with a lower `id`.
        group: one of `GROUPS`; empty for all.
        words: is contained in the text, the options or the request id; empty for all.
    """
    now = journal.now()
    conditions: list[ColumnElement[bool]] = [] if before is None else [JOBS.c.id < before]
    if group:
        under_way = JOBS.c.submit_until > now
        begun = under_way if group == "running" else ~under_way
        conditions.append(and_(JOBS.c.state.in_(GROUPS[group]), or_(JOBS.c.state != State.INTENDED, begun)))
    if words:
        # As it stands in JSON, where other letters than those of ASCII are escaped.
        written = JOBS.c.request.icontains(json.dumps(words)[1:-1], autoescape=True)
        conditions.append(written | JOBS.c.request_id.icontains(words, autoescape=True))
    found = journal.newest(PAGE + 1, *conditions)
    jobs = [_listed(record, folder, now) for record in found[:PAGE]]
    return {"jobs": jobs, "next": jobs[-1]["id"] if len(found) > PAGE else None}


def totals(journal: Journal) -> dict[str, dict[str, float]]:
    """How many `videos` cost something, and their known `cost` in US dollars: of `today` by this machine's clock, of
    the last 30 days as `month`, and of `all` times."""
    now = datetime.fromtimestamp(journal.now()).astimezone()
    begins = (now.replace(hour=0, minute=0, second=0, microsecond=0), now - timedelta(days=30))
    since = [begin.timestamp() for begin in begins]
    parts = [func.sum(case((JOBS.c.created >= begin, part), else_=0)) for begin in since for part in (1, JOBS.c.cost)]
    query = select(*parts, func.count(), func.sum(JOBS.c.cost)).where(JOBS.c.cost > 0)
    row = journal.database.read(lambda connection: connection.execute(query).one())
    names = ("today", "month", "all")
    return {name: {"videos": row[2 * n] or 0, "cost": row[2 * n + 1] or 0.0} for n, name in enumerate(names)}


def as_csv(journal: Journal, *, since: float = 0.0) -> str:
    """All jobs that were created since then, oldest last, as a spreadsheet reads them."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")  # which `print` turns into the system's
    writer.writerow(("time", "state", *_COLUMNS, "cost_usd", "price", "request_id", "reason"))
    for record in _records_since(journal, since):
        cells = (
            datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="seconds"),
            state_name(record, journal.now()),
            *(getattr(record.request, name, "") for name in _COLUMNS),
            "" if record.cost is None else record.cost,
            *(record.price, record.request_id, record.reason),
        )
        writer.writerow([f"'{cell}" if str(cell).startswith(_FORMULA) else cell for cell in cells])
    return written.getvalue()


def link_request_id(account: Account, number: int, request_id: str) -> None:
    """Give a job the id that the user has found for it at RunComfy. Blocks.

    Raises `JobError` where that cannot be, or `RunComfyError` where RunComfy does not know it or is away.
    """
    record = _unclear(account.journal, number)
    if record.key.origin not in ("", account.origin):
        raise JobError("otherService", origin=record.key.origin)
    if account.journal.job(request_id):
        raise JobError("otherJobsId", id=request_id)
    account.client.status(request_id)
    if account.journal.accept(record, request_id).request_id != request_id:
        raise JobError("otherJobsId", id=request_id)


def submit_again(journal: Journal, reports: Reports, number: int) -> None:
    """Note that the user knows of the unclear outcome: what is queued from now on buys the video again. Blocks.

    Raises `JobError` where it is known by now what became of the job.
    """
    record = _unclear(journal, number)
    moved = journal.transition(record, State.UNKNOWN_REPORTED, reported_by=reports.server)
    if moved.state is not State.UNKNOWN_REPORTED:
        raise JobError("notUnclear")
    reports.add(moved)


def state_name(record: JobRecord, now: float) -> str:
    """A state's name for people; an intent whose submit call must be over counts as unknown."""
    over = record.state is State.INTENDED and not is_under_way(record, now)
    return (State.UNKNOWN if over or record.state is State.UNKNOWN_REPORTED else record.state).name.lower()


def _records_since(journal: Journal, since: float) -> Iterable[JobRecord]:
    """A thousand per transaction, so that no purchase waits for long."""
    conditions = [JOBS.c.created >= since]
    while found := journal.newest(1000, *conditions):
        yield from found
        conditions[1:] = [JOBS.c.id < found[-1].id]


def _listed(record: JobRecord, folder: Path, now: float) -> dict[str, Any]:
    """One job as people look at it; amounts are US dollars, and the files those that are there."""
    same = ("id", "request_id", "created", "cost", "price", "reason")
    return {
        **{name: getattr(record, name) for name in same},
        "state": state_name(record, now),
        "request": record.request.body() if record.request else None,
        "estimate": in_usd(record.estimate),
        "files": [name for name in record.files if (folder / name).is_file()],
    }


def _unclear(journal: Journal, number: int) -> JobRecord:
    record = journal.record(number)
    if record and record.state is State.INTENDED and not is_under_way(record, journal.now()):
        record = journal.transition(record, State.UNKNOWN)
    if record is None or record.state not in (State.UNKNOWN, State.UNKNOWN_REPORTED):
        raise JobError("notUnclear")
    return record
