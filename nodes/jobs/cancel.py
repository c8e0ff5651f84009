"""After Stop: take a job back where that is possible, and say truthfully what became of it."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from ..runcomfy.client import RunComfy
from ..runcomfy.errors import PassingTrouble, RateLimited, RunComfyError
from ..runcomfy.responses import CancelOutcome, JobState
from .cancellation import Watch, ended_within
from .events import Settled
from .journal import Entry
from .services import Means, record
from .states import State
from .stop_outcome import Fate

CANCEL_PATIENCE: Final = 2.5
"""Seconds between two looks at a cancel call; Stop gives up one that is under way at both."""
LONGEST: Final = 10.0
"""Seconds after which Stop gives up any: hundreds of cancels wait for each other's threads."""
LIMITED_PAUSE: Final = 0.5
"""Seconds before a cancel that was refused for coming too often is made again, if the service names none."""
_COLLECT: Final = "run the same graph again to collect its video without a new charge"


async def settle(means: Means, watch: Watch, entry: Entry | None, *, may_cancel: bool) -> Settled:
    """What becomes of the job of a run that was stopped; cancels it if that may be and is still possible."""
    if may_cancel and entry and entry.state is State.ACCEPTED:
        return await _cancel(means, watch, entry)
    return left_alone(entry, "Stopped")


def left_alone(entry: Entry | None, end: str) -> Settled:
    """What becomes of a job that nobody cancels.

    Args:
        end: what ended the run, in a word or a few.
    """
    if entry is None or entry.state is State.REFUSED:
        return Settled(f"{end} before anything was submitted. Nothing was charged.", Fate.NOT_SUBMITTED)
    if entry.state is State.ACCEPTED:
        return Settled(f"{end}. Job {entry.request_id} goes on and will be charged; {_COLLECT}.", Fate.GOES_ON)
    if entry.state in (State.SUCCEEDED, State.SAVED):
        return Settled(f"{end}. The video is finished and paid for; {_COLLECT}.", Fate.FINISHED)
    return Settled(
        f"{end} while the request was being submitted. It may have been charged. Run the same graph again: it finds "
        "the job, or says where to look for it.",
        Fate.UNCERTAIN,
    )


async def _cancel(means: Means, watch: Watch, entry: Entry) -> Settled:
    job = f"Stopped. Job {entry.request_id}"
    later = f"It may be charged; {_COLLECT}."
    ends = means.clock.monotonic() + LONGEST
    while True:
        call = means.workers.cancel(cancel_and_record, means, watch, entry)
        if not await _ended(call, means, ends):
            return Settled(f"{job} could not be cancelled in time. {later}", Fate.UNCERTAIN)
        outcome = _outcome(call)
        if not isinstance(outcome, RateLimited):
            break
        pause = outcome.retry_after or LIMITED_PAUSE
        if means.clock.monotonic() + pause >= ends:
            break
        await means.clock.sleep(pause)
    if isinstance(outcome, RunComfyError):
        return Settled(f"{job} could not be cancelled: {outcome.what} {later}", Fate.GOES_ON)
    if outcome is CancelOutcome.NOT_CANCELLABLE:
        return Settled(f"{job} is running already and will be charged; {_COLLECT}.", Fate.GOES_ON)
    return Settled(f"{job} was still queued and is cancelled. Nothing was charged.", Fate.CANCELLED)


async def _ended(call: Future[CancelOutcome], means: Means, ends: float) -> bool:
    """Wait for a cancel call, which has its time from when it begins; whether it ended."""
    begun = False
    while not await ended_within(call, CANCEL_PATIENCE):
        if begun or means.clock.monotonic() >= ends:
            return False
        begun = call.running()
    return True


def cancel_and_record(means: Means, watch: Watch, entry: Entry) -> CancelOutcome:
    """Both in one worker, so that a cancellation that comes late is written down all the same."""
    outcome = _cancel_now(means.client, entry.request_id)
    if outcome is CancelOutcome.CANCELLED:
        record(means, watch.show, entry, State.CANCELLED)
    return outcome


def _cancel_now(client: RunComfy, request_id: str) -> CancelOutcome:
    """With a second try, since what stays in the queue will be charged."""
    try:
        return client.cancel(request_id)
    except PassingTrouble:
        # The call may have come through; another one would then be told that there is nothing to cancel.
        with suppress(PassingTrouble):
            if client.status(request_id).state is JobState.CANCELLED:
                return CancelOutcome.CANCELLED
        return client.cancel(request_id)


def _outcome(call: Future[CancelOutcome]) -> CancelOutcome | RunComfyError:
    try:
        return call.result()
    except RunComfyError as error:
        return error
