"""The error that says how a job ended, from its record."""

from __future__ import annotations

from .clock import clock_time
from .errors import JobCancelled, JobError, JobExpired, JobFailed, OutcomeUnknown
from .records import JobRecord
from .states import State


def error_of(record: JobRecord) -> JobError:
    """What to raise about a job that ended badly or unclearly."""
    if record.state is State.FAILED:
        return JobFailed(record.reason, record.request_id)
    if record.state is State.CANCELLED:
        return JobCancelled(record.request_id)
    if record.state is State.EXPIRED:
        return JobExpired(record.request_id)
    return OutcomeUnknown(clock_time(record.created), record.request.text if record.request else "", record.reason)
