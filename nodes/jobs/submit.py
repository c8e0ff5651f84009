"""The one call that costs money. It is repeated only when it provably was not accepted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from ..errors import SeedanceError, StopRequested
from ..runcomfy.errors import ConnectError, RunComfyError
from ..texts import Text
from . import events
from .budget import MAX_UNPRICED, Purchase
from .errors import JournalUnusable
from .job import Job
from .records import JobRecord, Order, State
from .stop import cancel_and_record

FIRST_BYTE_SECONDS: Final = 15.0
"""From the intent on; later than that nothing is sent. A call may take a minute in all, so it has ended well
before `SUBMIT_SECONDS` are over, after which other runs take its outcome for unknown."""


def submit(job: Job, order: Order, seen: Sequence[JobRecord], purchase: Purchase) -> bool:
    """Write the intent, make the call, and write down what became of it, in `Job.record` as well.

    All in one thread, so that a job is written down even when the run that waits for it is cut off. If the records are
    no longer those ``seen`` when it was decided, nothing is sent, and False is returned.

    Raises:
        RunComfyError: refused, or no connection; with `UNKNOWN` in the record where nobody can know.
        StopRequested: nobody waits any more, and nothing was sent.
        BudgetReached, NoFreePlace, JournalUnusable: as `Journal.create`; nothing was sent.
    """
    account = job.account
    job.run.check()
    # Before the intent: a call that would be refused now needs none.
    account.rate_limiter.check()
    started = account.clock.with_sleep()
    intent = account.journal.create(order, seen, job.owner, purchase)
    if intent is None:
        return False
    account.claims.note_claimed(job.owner, started)
    job.record = intent
    if purchase.limit.amount and purchase.estimate is None:
        job.run.report(events.notice(Text("notices.unpriced", most=MAX_UNPRICED)))

    def check_in_time() -> None:
        """Asked when the connection stands, before the first byte of the request."""
        job.run.check()
        if account.clock.with_sleep() - started > FIRST_BYTE_SECONDS:
            raise ConnectError(Text("reasons.tookTooLong"))

    try:
        call = partial(account.client.submit, before_first_byte=check_in_time)
        request_id = account.rate_limiter.call(call, order.request)
    except StopRequested:
        job.move(intent, State.REFUSED)
        raise
    except RunComfyError as error:
        # What stays intended counts as unknown after a while; so even a broken journal hides no payment.
        job.move(intent, State.REFUSED if error.not_accepted else State.UNKNOWN, reason=error.message)
        raise
    _accept(job, intent, request_id)
    return True


def _accept(job: Job, intent: JobRecord, request_id: str) -> None:
    try:
        accepted = job.account.journal.accept(intent, request_id)
    except JournalUnusable as error:
        accepted = job.report_unwritten(error, intent, State.ACCEPTED, request_id=request_id)
    with job.lock:
        # Either Stop finds the job and cancels it, or it has given up waiting and this does.
        job.record, given_up = accepted, job.is_given_up
    if given_up or accepted.state is State.SURPLUS:
        with suppress(SeedanceError):  # what became of it is found by the next run
            cancel_and_record(job)
