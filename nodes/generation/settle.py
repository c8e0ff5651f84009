"""After Stop: take a job back where that is possible, and say truthfully what became of it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Final

from ..runcomfy.errors import RunComfyError
from ..runcomfy.replies import CancelOutcome
from .journal import Entry
from .means import Means, record
from .states import State
from .watch import Watch, settled

CANCEL_PATIENCE: Final = 4.0
"""Seconds that Stop gives the service to cancel a job."""


async def settle(means: Means, watch: Watch, entry: Entry | None, *, may_cancel: bool) -> str:
    """What became of the job of a run that was stopped; cancels it if that may be and is still possible."""
    if entry is None or entry.state is State.REFUSED:
        return "Stopped before anything was submitted. Nothing was charged."
    if entry.state is State.ACCEPTED:
        return await _cancel(means, watch, entry) if may_cancel else f"Stopped waiting. Job {entry.request_id} goes on."
    if entry.state in (State.SUCCEEDED, State.SAVED):
        return "Stopped. The video is finished and paid for; run the same graph again to get it without a new charge."
    return (
        "Stopped while the request was being submitted. It may have been charged. Run the same graph again: it "
        "finds the job, or says where to look for it."
    )


async def _cancel(means: Means, watch: Watch, entry: Entry) -> str:
    job = f"Stopped. Job {entry.request_id}"
    later = "It may be charged; run the same graph again to collect its video without a new charge."
    call = means.workers.cancel(_cancel_and_record, means, watch, entry)
    if not await settled(call, CANCEL_PATIENCE):
        return f"{job} could not be cancelled in time. {later}"
    outcome = _outcome(call)
    if isinstance(outcome, RunComfyError):
        return f"{job} could not be cancelled: {outcome.what} {later}"
    if outcome is CancelOutcome.NOT_CANCELLABLE:
        return (
            f"{job} is running already and will be charged; run the same graph again to collect its video "
            "without a new charge."
        )
    return f"{job} was still queued and is cancelled. Nothing was charged."


def _cancel_and_record(means: Means, watch: Watch, entry: Entry) -> CancelOutcome:
    """Both in one worker, so that a cancellation that comes late is written down all the same."""
    outcome = means.client.cancel(entry.request_id)
    if outcome is CancelOutcome.CANCELLED:
        record(means, watch.show, entry, State.CANCELLED)
    return outcome


def _outcome(call: Future[CancelOutcome]) -> CancelOutcome | RunComfyError:
    try:
        return call.result()
    except RunComfyError as error:
        return error
