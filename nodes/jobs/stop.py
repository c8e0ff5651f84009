"""However a run ends: take its job back after Stop where that is possible, and say truthfully what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from ..errors import StopRequested
from ..runcomfy.client import RunComfy
from ..runcomfy.errors import RateLimited, RunComfyError, TransientError
from ..runcomfy.responses import CancelOutcome, JobState
from .errors import JournalUnusable, OutcomeUnknown, Stopped
from .events import StopOutcome, StopReport
from .job import Job, Video
from .records import JobRecord, State
from .waiting import ended_within

SUBMIT_WAIT_SECONDS: Final = 5.0
"""That Stop waits for a submit call under way, so that its job can be cancelled."""
CANCEL_CALL_SECONDS: Final = 2.5
"""Between two looks at a cancel call; Stop gives up one that is under way at both."""
CANCEL_SECONDS: Final = 10.0
"""After which Stop gives up any: hundreds of cancels wait for each other's threads."""
LIMITED_PAUSE: Final = 0.5
"""Seconds before a cancel that was refused for coming too often is made again, if the service names none."""
_COLLECT: Final = "run the same graph again to collect its video without a new charge"


async def guard(job: Job, work: Coroutine[None, None, Video], *, may_cancel: bool) -> Video:
    """Do a run's ``work``; however it ends, say the truth about its job and free what was claimed. Raises `Stopped`."""
    try:
        return await work
    except StopRequested:
        stopping = asyncio.ensure_future(_stop(job, may_cancel))
        try:
            report = await asyncio.shield(stopping)
        except asyncio.CancelledError:
            # Another node has stopped already, at which ComfyUI ends all others: nothing raised here is read.
            await _show(job, stopping)
            raise
        raise Stopped(report) from None
    except asyncio.CancelledError:
        # A failed sibling node, which is no reason to give up a paid job; or Stop, seen by somebody else first.
        if job.run.is_stopped():
            await _show(job, asyncio.ensure_future(_stop(job, may_cancel)))
        else:
            job.run.report(_left_alone(job.record, "Another node ended this run"))
        raise
    finally:
        # Not before a submit call under way has ended, whose job the next run must see.
        if job.submit_call:
            job.submit_call.add_done_callback(lambda _: job.leave())
        else:
            job.leave()


async def _stop(job: Job, may_cancel: bool) -> StopReport:
    """What becomes of the job of a stopped run. Raises `OutcomeUnknown` where its submit call ended unclearly."""
    # Nothing is sent any more, and a job that is accepted after this wait is cancelled by the thread.
    if job.submit_call and not await ended_within(job.submit_call, SUBMIT_WAIT_SECONDS):
        with job.lock:
            job.is_given_up = True
    if job.record.state is State.UNKNOWN:
        await job.raise_end(job.record)
    if may_cancel and job.record.state in (State.ACCEPTED, State.SURPLUS):
        return await _take_back(job)
    return _left_alone(job.record, "Stopped")


async def _show(job: Job, stopping: asyncio.Future[StopReport]) -> None:
    """Show what becomes of a job where it cannot be raised; an unclear outcome stays to be reported."""
    try:
        job.run.report(await stopping)
    except OutcomeUnknown:
        job.was_not_read(job.record)


async def _take_back(job: Job) -> StopReport:
    """Cancel a job if that is still possible and nobody else wants it."""
    clock, name = job.account.clock, f"Stopped. Job {job.record.request_id}"
    ends = clock.monotonic() + CANCEL_SECONDS
    why, outcome = "could not be cancelled in time.", StopOutcome.UNCERTAIN
    while await _ended(call := job.account.executors.cancels.submit(cancel_and_record, job), job, ends):
        try:
            return _cancel_report(call.result(), name)
        except RunComfyError as error:
            why, outcome = f"could not be cancelled: {error.message}", StopOutcome.GOES_ON
            pause = error.retry_after or LIMITED_PAUSE if isinstance(error, RateLimited) else None
            if pause is None or clock.monotonic() + pause >= ends:
                break
            await clock.sleep(pause)
    return StopReport((f"{name} {why} It may be charged; {_COLLECT}.",), outcome)


def _left_alone(record: JobRecord, end: str) -> StopReport:
    """What becomes of a job that nobody cancels; ``end`` says what ended the run, in a word or a few."""
    if record.state in (State.REFUSED, State.FAILED, State.EXPIRED):
        return StopReport((f"{end} before anything was submitted. Nothing was charged.",), StopOutcome.NOT_SUBMITTED)
    if record.state in (State.ACCEPTED, State.SURPLUS):
        goes_on = f"Job {record.request_id} goes on and will be charged; {_COLLECT}."
        return StopReport((f"{end}. {goes_on}",), StopOutcome.GOES_ON)
    if record.state in (State.SUCCEEDED, State.SAVED):
        return StopReport((f"{end}. The video is finished and paid for; {_COLLECT}.",), StopOutcome.FINISHED)
    if record.state is State.CANCELLED:
        return _cancel_report(CancelOutcome.CANCELLED, f"Stopped. Job {record.request_id}")
    unclear = f"{end} while the request was being submitted. It may have been charged."
    again = "Run the same graph again: it finds the job, or says where to look for it."
    return StopReport((f"{unclear} {again}",), StopOutcome.UNCERTAIN)


def _cancel_report(outcome: CancelOutcome | None, job: str) -> StopReport:
    if outcome is None:
        return StopReport((f"{job} goes on, since another run waits for its video.",), StopOutcome.GOES_ON)
    if outcome is CancelOutcome.NOT_CANCELLABLE:
        return StopReport((f"{job} is running already and will be charged; {_COLLECT}.",), StopOutcome.GOES_ON)
    return StopReport((f"{job} was still queued and is cancelled. Nothing was charged.",), StopOutcome.CANCELLED)


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

    def came_through() -> bool:
        return client.status(request_id).state is JobState.CANCELLED

    try:
        return client.cancel(request_id)
    except TransientError:
        with suppress(TransientError):
            if came_through():
                return CancelOutcome.CANCELLED
    outcome = client.cancel(request_id)
    # There is nothing left to cancel, either, where the first call came through.
    return CancelOutcome.CANCELLED if outcome is CancelOutcome.NOT_CANCELLABLE and came_through() else outcome


async def _ended(call: Future[CancelOutcome | None], job: Job, ends: float) -> bool:
    """Wait for a cancel call, which has its time from when it begins; whether it ended."""
    begun = False
    while not await ended_within(call, CANCEL_CALL_SECONDS):
        if begun or job.account.clock.monotonic() >= ends:
            return False
        begun = call.running()
    return True
