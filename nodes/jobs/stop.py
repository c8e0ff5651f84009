"""After Stop: take a job back where that is possible, and say truthfully what became of it."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from ..runcomfy.client import RunComfy
from ..runcomfy.errors import RateLimited, RunComfyError, TransientError
from ..runcomfy.responses import CancelOutcome, JobState
from .errors import JournalUnusable
from .events import StopOutcome, StopReport
from .job import Job
from .records import JobRecord, State
from .waiting import ended_within

CANCEL_CALL_SECONDS: Final = 2.5
"""Between two looks at a cancel call; Stop gives up one that is under way at both."""
CANCEL_SECONDS: Final = 10.0
"""After which Stop gives up any: hundreds of cancels wait for each other's threads."""
LIMITED_PAUSE: Final = 0.5
"""Seconds before a cancel that was refused for coming too often is made again, if the service names none."""
_COLLECT: Final = "run the same graph again to collect its video without a new charge"


async def stop_job(job: Job) -> StopReport:
    """Cancel the job of a run that was stopped, if that is still possible and nobody else wants it."""
    record, clock = job.record, job.account.clock
    if record.state not in (State.ACCEPTED, State.SURPLUS):
        return stop_report(record, "Stopped")
    ends = clock.monotonic() + CANCEL_SECONDS
    while True:
        call = job.account.executors.cancels.submit(cancel_and_record, job)
        if not await _ended(call, job, ends):
            return _not_cancelled(record, "could not be cancelled in time.", StopOutcome.UNCERTAIN)
        try:
            return _cancel_report(call.result(), record)
        except RunComfyError as error:
            pause = error.retry_after or LIMITED_PAUSE if isinstance(error, RateLimited) else None
            if pause is None or clock.monotonic() + pause >= ends:
                return _not_cancelled(record, f"could not be cancelled: {error.message}", StopOutcome.GOES_ON)
            await clock.sleep(pause)


def stop_report(record: JobRecord, end: str) -> StopReport:
    """What becomes of a job that nobody cancels.

    Args:
        end: what ended the run, in a word or a few.
    """
    if record.state in (State.REFUSED, State.FAILED, State.EXPIRED):
        return StopReport(f"{end} before anything was submitted. Nothing was charged.", StopOutcome.NOT_SUBMITTED)
    if record.state in (State.ACCEPTED, State.SURPLUS):
        goes_on = f"Job {record.request_id} goes on and will be charged; {_COLLECT}."
        return StopReport(f"{end}. {goes_on}", StopOutcome.GOES_ON)
    if record.state in (State.SUCCEEDED, State.SAVED):
        return StopReport(f"{end}. The video is finished and paid for; {_COLLECT}.", StopOutcome.FINISHED)
    if record.state is State.CANCELLED:
        return _cancel_report(CancelOutcome.CANCELLED, record)
    return StopReport(
        f"{end} while the request was being submitted. It may have been charged. Run the same graph again: it finds "
        "the job, or says where to look for it.",
        StopOutcome.UNCERTAIN,
    )


def cancel_and_record(job: Job) -> CancelOutcome | None:
    """Both in one thread, so that a late cancellation is written down all the same. Raises `RunComfyError`.

    Returns:
        What the call achieved; None where it was not made because another run has the job or waits for it by now.
    """
    record, claims = job.record, job.account.claims
    with suppress(JournalUnusable):  # then no other run can have claimed it either
        if not claims.holds(record, job.owner) or claims.is_awaited(record):
            return None
    outcome = _cancel(job.account.client, record.request_id)
    if outcome is CancelOutcome.CANCELLED:
        job.move(record, State.CANCELLED)
    return outcome


def _cancel(client: RunComfy, request_id: str) -> CancelOutcome:
    """With a second try, since what stays in the queue will be charged."""
    try:
        return client.cancel(request_id)
    except TransientError:
        # The call may have come through; another one would then be told that there is nothing to cancel.
        with suppress(TransientError):
            if client.status(request_id).state is JobState.CANCELLED:
                return CancelOutcome.CANCELLED
        return client.cancel(request_id)


async def _ended(call: Future[CancelOutcome | None], job: Job, ends: float) -> bool:
    """Wait for a cancel call, which has its time from when it begins; whether it ended."""
    begun = False
    while not await ended_within(call, CANCEL_CALL_SECONDS):
        if begun or job.account.clock.monotonic() >= ends:
            return False
        begun = call.running()
    return True


def _cancel_report(outcome: CancelOutcome | None, record: JobRecord) -> StopReport:
    job = f"Stopped. Job {record.request_id}"
    if outcome is None:
        return StopReport(f"{job} goes on, since another run waits for its video.", StopOutcome.GOES_ON)
    if outcome is CancelOutcome.NOT_CANCELLABLE:
        return StopReport(f"{job} is running already and will be charged; {_COLLECT}.", StopOutcome.GOES_ON)
    return StopReport(f"{job} was still queued and is cancelled. Nothing was charged.", StopOutcome.CANCELLED)


def _not_cancelled(record: JobRecord, why: str, outcome: StopOutcome) -> StopReport:
    return StopReport(f"Stopped. Job {record.request_id} {why} It may be charged; {_COLLECT}.", outcome)
