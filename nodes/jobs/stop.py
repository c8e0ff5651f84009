"""The end of a run: after Stop, cancel its job if that is possible, and say truthfully what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import wait
from contextlib import suppress
from typing import Final

from ..errors import StopRequested
from ..runcomfy.client import RunComfy
from ..runcomfy.errors import RateLimited, RunComfyError, TransientError
from ..runcomfy.responses import JobState
from ..texts import Text
from . import events
from .errors import JobError, OutcomeUnknown, Stopped, error_of
from .events import Event, StopOutcome
from .job import Job, Video
from .records import CLAIM_SECONDS, JobRecord, State
from .waiting import ended_within

SUBMIT_WAIT_SECONDS: Final = 5.0
"""How long Stop waits for a submit call under way, so that its job can be cancelled."""
LOOK_SECONDS: Final = 2.0
"""How long a cancel waits for the journal, to know if another run wants the job, and again to record the cancel."""
CANCEL_CALL_SECONDS: Final = 2.5
"""Between two looks at a cancel call; Stop gives up one that is under way at both."""
CANCEL_SECONDS: Final = 10.0
"""After so long Stop gives up in any case: hundreds of cancels wait for a few threads."""
LIMITED_PAUSE: Final = 0.5
"""Seconds before a cancel that was refused for coming too often is made again, if the service names none."""
UNCANCELLED: Final = {
    State.REFUSED: StopOutcome.NOT_SUBMITTED,
    State.ACCEPTED: StopOutcome.GOES_ON,
    State.SURPLUS: StopOutcome.GOES_ON,
    State.SUCCEEDED: StopOutcome.FINISHED,
    State.SAVED: StopOutcome.FINISHED,
    State.CANCELLED: StopOutcome.CANCELLED,
}
"""What becomes of a job that nobody cancels; in other states it is uncertain."""
NOT_IN_TIME: Final = (StopOutcome.UNCERTAIN, "notInTime")


async def run_stoppable(job: Job, work: Coroutine[None, None, Video], *, may_cancel: bool) -> Video:
    """Do a run's ``work``. However it ends, report what became of its job and free its claims. Raises `Stopped`."""
    try:
        return await work
    except StopRequested:
        stopping = asyncio.ensure_future(_stop(job, may_cancel))
        try:
            raise Stopped(await asyncio.shield(stopping)) from None
        except asyncio.CancelledError:
            # Another node has stopped already, and ComfyUI ends all others: nobody reads what is raised here.
            await _show(job, stopping)
            raise
    except asyncio.CancelledError:
        # Another node has failed, which is no reason to cancel a paid job; or another node saw Stop first.
        if job.run.is_stopped():
            await _show(job, asyncio.ensure_future(_stop(job, may_cancel)))
        elif job.record.state in (State.FAILED, State.EXPIRED):
            job.run.report(events.failed(error_of(job.record, is_read=True).texts))
        else:
            job.run.report(_uncancelled(job.record, "otherNode"))
        raise
    finally:
        # Only after a submit call under way has ended: the next run must see its job.
        if job.submit_call:
            job.submit_call.add_done_callback(lambda _: job.release())
        else:
            job.release()


async def _stop(job: Job, may_cancel: bool) -> Event:
    """What becomes of the job of a stopped run. Raises an end that is bad or unclear: no later run may report it."""
    if job.submit_call:
        await ended_within(job.submit_call, SUBMIT_WAIT_SECONDS)
    # Nothing new is sent from now on; a job that is accepted after this wait is cancelled by the submitting thread.
    with job.lock:
        job.is_given_up, record = True, job.record
    if record.state in (State.UNKNOWN, State.FAILED, State.EXPIRED):
        await job.raise_end(record)
    if may_cancel and record.state in (State.ACCEPTED, State.SURPLUS):
        return await _cancel_with_retries(job)
    return _uncancelled(record)


async def _show(job: Job, stopping: asyncio.Future[Event]) -> None:
    """Show what becomes of a job where it cannot be raised; an unclear outcome stays to be reported."""
    try:
        job.run.report(await stopping)
    except OutcomeUnknown:
        job.note_unread(job.record)
    except JobError as error:
        job.run.report(events.failed(error.texts))


async def _cancel_with_retries(job: Job) -> Event:
    """Cancel a job if that is still possible and nobody else wants it."""
    clock, record = job.account.clock, job.record
    ends = clock.monotonic() + CANCEL_SECONDS
    report = _event(record, *NOT_IN_TIME)
    while True:
        call, begun = job.account.executors.cancels.submit(cancel_and_record, job), False
        # A call has its time from when it begins.
        while not await ended_within(call, CANCEL_CALL_SECONDS):
            if begun or clock.monotonic() >= ends:
                return report
            begun = call.running()
        try:
            return _event(record, *call.result())
        except RunComfyError as error:
            report = _event(record, StopOutcome.GOES_ON, "notCancelled", problem=error.message)
            pause = error.retry_after or LIMITED_PAUSE if isinstance(error, RateLimited) else CANCEL_SECONDS
            if clock.monotonic() + pause >= ends:
                return report
            await clock.sleep(pause)


def _uncancelled(record: JobRecord, end: str = "pressed") -> Event:
    """What becomes of a job that nobody cancels; ``end`` is the key of what ended the run."""
    outcome = UNCANCELLED.get(record.state, StopOutcome.UNCERTAIN)
    return _event(record, outcome, outcome.value, end=end)


def _event(record: JobRecord, outcome: StopOutcome, key: str, *, end: str = "pressed", problem: str = "") -> Event:
    text = Text(f"stop.{key}", end=Text(f"stop.{end}"), id=record.request_id, problem=problem)
    return events.stopped(text, outcome)


def cancel_and_record(job: Job) -> tuple[StopOutcome, str]:
    """Cancel the job. Returns what became of it, and the key of that in `stop` of the locales. The job is left alone if
    another run has it or waits for it by now, or if that is not known and its claim may have lapsed.

    Runs in a thread, so that a late cancellation is recorded, too. Raises `RunComfyError`.
    """
    record, account = job.record, job.account
    is_certain, unanswered = account.claims.certainly_holds(job.owner), account.executors.unanswered
    looking = job.in_journal(_is_wanted, job, record)
    # A claim that cannot have lapsed yet is nobody else's, however long the database is silent.
    if not is_certain:
        wait([looking], CLAIM_SECONDS)
    elif unanswered is None or unanswered.done():
        wait([looking], LOOK_SECONDS)
    if not looking.done():
        account.executors.unanswered = looking
    is_answered = looking.done() and not looking.cancelled() and not looking.exception()
    is_wanted = looking.result() if is_answered else None
    if is_wanted:
        return StopOutcome.GOES_ON, "awaited"
    if is_wanted is None and not account.claims.certainly_holds(job.owner):
        return NOT_IN_TIME
    if not _cancel(account.client, record.request_id):
        return StopOutcome.GOES_ON, "running"
    wait([job.in_journal(job.move, record, State.CANCELLED)], LOOK_SECONDS if looking.done() else 0)
    return StopOutcome.CANCELLED, "cancelled"


def _is_wanted(job: Job, record: JobRecord) -> bool:
    """Whether another run has a job by now, or waits for it. Blocks."""
    return not job.account.claims.holds(record, job.owner) or job.account.claims.is_awaited(record)


def _cancel(client: RunComfy, request_id: str) -> bool:
    """Whether a job is cancelled, with a second try, since what stays in the queue will be charged."""

    def is_cancelled() -> bool:
        return client.status(request_id).state is JobState.CANCELLED

    try:
        return client.cancel(request_id)
    except TransientError:
        with suppress(TransientError):
            if is_cancelled():
                return True
    # If the first call came through, there is nothing left to cancel.
    return client.cancel(request_id) or is_cancelled()
