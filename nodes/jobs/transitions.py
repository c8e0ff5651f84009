"""Changes of a submitted job's record, which must not cost the user the video where the journal is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .errors import JournalUnusable
from .events import Event, Notice
from .journal import Journal
from .records import JobRecord
from .states import State


def transition(
    journal: Journal, report: Callable[[Event], None], record: JobRecord, to: State, **changes: object
) -> JobRecord:
    """Move a record on as `Journal.transition` does; where that cannot be written, say so and go on. Blocks."""
    try:
        return journal.transition(record, to, **changes)
    except JournalUnusable as error:
        return going_on(record, to, error, report, **changes)


def going_on(
    record: JobRecord, to: State, error: JournalUnusable, report: Callable[[Event], None], **changes: object
) -> JobRecord:
    """The record as it would be, where the journal cannot be written."""
    moved = replace(record, state=to, **changes)  # type: ignore[arg-type]  # the names are JobRecord's fields
    job = f" The job goes on; note its request id: {moved.request_id}." if moved.request_id else ""
    report(Notice(f"{error.message}{job}"))
    return moved
