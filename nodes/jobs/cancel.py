"""After Stop: take a job back where that is possible, and say truthfully what became of it."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from ..runcomfy.client import RunComfy
from ..runcomfy.errors import RateLimited, RunComfyError, TransientError
from ..runcomfy.responses import CancelOutcome, JobState
from .cancellation import Cancellation, ended_within
from .events import StopReport
from .journal import JobRecord
from .services import Services, record
from .states import State
from .stop_outcome import StopOutcome

CANCEL_PATIENCE: Final = 2.5
"""Seconds between two looks at a cancel call; Stop gives up one that is under way at both."""
LONGEST: Final = 10.0
"""Seconds after which Stop gives up any: hundreds of cancels wait for each other's threads."""
LIMITED_PAUSE: Final = 0.5
"""Seconds before a cancel that was refused for coming too often is made again, if the service names none."""
_COLLECT: Final = "run the same graph again to collect its video without a new charge"


async def stop_job(
    services: Services, cancellation: Cancellation, entry: JobRecord | None, *, may_cancel: bool
) -> StopReport:
    """What becomes of the job of a run that was stopped; cancels it if that may be and is still possible."""
    if may_cancel and entry and entry.state is State.ACCEPTED:
        return await _cancel(services, cancellation, entry)
    return stop_report(entry, "Stopped")


def stop_report(entry: JobRecord | None, end: str) -> StopReport:
    """What becomes of a job that nobody cancels.

    Args:
        end: what ended the run, in a word or a few.
    """
    if entry is None or entry.state is State.REFUSED:
        return StopReport(f"{end} before anything was submitted. Nothing was charged.", StopOutcome.NOT_SUBMITTED)
    if entry.state is State.ACCEPTED:
        return StopReport(
            f"{end}. Job {entry.request_id} goes on and will be charged; {_COLLECT}.", StopOutcome.GOES_ON
        )
    if entry.state in (State.SUCCEEDED, State.SAVED):
        return StopReport(f"{end}. The video is finished and paid for; {_COLLECT}.", StopOutcome.FINISHED)
    return StopReport(
        f"{end} while the request was being submitted. It may have been charged. Run the same graph again: it finds "
        "the job, or says where to look for it.",
        StopOutcome.UNCERTAIN,
    )


async def _cancel(services: Services, cancellation: Cancellation, entry: JobRecord) -> StopReport:
    job = f"Stopped. Job {entry.request_id}"
    later = f"It may be charged; {_COLLECT}."
    ends = services.clock.monotonic() + LONGEST
    while True:
        call = services.executors.cancel(cancel_and_record, services, cancellation, entry)
        if not await _ended(call, services, ends):
            return StopReport(f"{job} could not be cancelled in time. {later}", StopOutcome.UNCERTAIN)
        outcome = _outcome(call)
        if not isinstance(outcome, RateLimited):
            break
        pause = outcome.retry_after or LIMITED_PAUSE
        if services.clock.monotonic() + pause >= ends:
            break
        await services.clock.sleep(pause)
    if isinstance(outcome, RunComfyError):
        return StopReport(f"{job} could not be cancelled: {outcome.message} {later}", StopOutcome.GOES_ON)
    if outcome is CancelOutcome.NOT_CANCELLABLE:
        return StopReport(f"{job} is running already and will be charged; {_COLLECT}.", StopOutcome.GOES_ON)
    return StopReport(f"{job} was still queued and is cancelled. Nothing was charged.", StopOutcome.CANCELLED)


async def _ended(call: Future[CancelOutcome], services: Services, ends: float) -> bool:
    """Wait for a cancel call, which has its time from when it begins; whether it ended."""
    begun = False
    while not await ended_within(call, CANCEL_PATIENCE):
        if begun or services.clock.monotonic() >= ends:
            return False
        begun = call.running()
    return True


def cancel_and_record(services: Services, cancellation: Cancellation, entry: JobRecord) -> CancelOutcome:
    """Both in one worker, so that a cancellation that comes late is written down all the same."""
    outcome = _cancel_now(services.client, entry.request_id)
    if outcome is CancelOutcome.CANCELLED:
        record(services, cancellation.report, entry, State.CANCELLED)
    return outcome


def _cancel_now(client: RunComfy, request_id: str) -> CancelOutcome:
    """With a second try, since what stays in the queue will be charged."""
    try:
        return client.cancel(request_id)
    except TransientError:
        # The call may have come through; another one would then be told that there is nothing to cancel.
        with suppress(TransientError):
            if client.status(request_id).state is JobState.CANCELLED:
                return CancelOutcome.CANCELLED
        return client.cancel(request_id)


def _outcome(call: Future[CancelOutcome]) -> CancelOutcome | RunComfyError:
    try:
        return call.result()
    except RunComfyError as error:
        return error
