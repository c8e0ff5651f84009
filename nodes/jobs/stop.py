"""After Stop: take a job back where that is possible, and say truthfully what became of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from ..runcomfy.client import RunComfy
from ..runcomfy.errors import RateLimited, RunComfyError, TransientError
from ..runcomfy.responses import CancelOutcome, JobState
from .account import Services
from .errors import JournalUnusable
from .events import Event, StopOutcome, StopReport
from .records import JobRecord
from .states import State
from .waiting import ended_within

CANCEL_CALL_SECONDS: Final = 2.5
"""Between two looks at a cancel call; Stop gives up one that is under way at both."""
CANCEL_SECONDS: Final = 10.0
"""After which Stop gives up any: hundreds of cancels wait for each other's threads."""
LIMITED_PAUSE: Final = 0.5
"""Seconds before a cancel that was refused for coming too often is made again, if the service names none."""
_COLLECT: Final = "run the same graph again to collect its video without a new charge"

CancelResult = tuple[CancelOutcome | None, JobRecord]
"""What a cancel call achieved, None where it was not made because the job is another run's by now; and the record."""


async def stop_job(
    services: Services, report: Callable[[Event], None], record: JobRecord | None, owner: str
) -> StopReport:
    """Cancel the job of a run that was stopped, if that is still possible and nobody else wants it."""
    if record is None or record.state not in (State.ACCEPTED, State.SURPLUS):
        return stop_report(record, "Stopped")
    ends = services.clock.monotonic() + CANCEL_SECONDS
    while True:
        call = services.executors.cancels.submit(cancel_and_record, services, report, record, owner)
        if not await _ended(call, services, ends):
            return _not_cancelled(record, "could not be cancelled in time.", StopOutcome.UNCERTAIN)
        try:
            outcome, record = call.result()
        except RateLimited as error:
            pause = error.retry_after or LIMITED_PAUSE
            if services.clock.monotonic() + pause >= ends:
                return _not_cancelled(record, f"could not be cancelled: {error.message}", StopOutcome.GOES_ON)
            await services.clock.sleep(pause)
        except RunComfyError as error:
            return _not_cancelled(record, f"could not be cancelled: {error.message}", StopOutcome.GOES_ON)
        else:
            return _cancel_report(outcome, record)


def stop_report(record: JobRecord | None, end: str) -> StopReport:
    """What becomes of a job that nobody cancels.

    Args:
        end: what ended the run, in a word or a few.
    """
    if record is None or record.state in (State.REFUSED, State.FAILED, State.EXPIRED):
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


def cancel_and_record(
    services: Services, report: Callable[[Event], None], record: JobRecord, owner: str
) -> CancelResult:
    """Both in one worker, so that a late cancellation is written down all the same. Raises `RunComfyError`."""
    with suppress(JournalUnusable):  # then no other run can have claimed it either
        if not services.claims.holds(record, owner) or services.claims.is_awaited(record):
            return None, record
    outcome = _cancel(services.client, record.request_id)
    if outcome is CancelOutcome.CANCELLED:
        record = services.transition(report, record, State.CANCELLED)
    return outcome, record


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


async def _ended(call: Future[CancelResult], services: Services, ends: float) -> bool:
    """Wait for a cancel call, which has its time from when it begins; whether it ended."""
    begun = False
    while not await ended_within(call, CANCEL_CALL_SECONDS):
        if begun or services.clock.monotonic() >= ends:
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
