"""The one call that costs money. It is repeated only when it provably was not accepted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Final

from ..errors import SeedanceError, StopRequested
from ..runcomfy.errors import ConnectError, RunComfyError
from ..runcomfy.request import GenerationRequest
from .errors import JournalUnusable
from .job import Job
from .records import JobRecord, RequestKey, State
from .stop import cancel_and_record
from .waiting import ended_within

FIRST_BYTE_SECONDS: Final = 15.0
"""From the intent on; later than that nothing is sent. With the 45 s that an exchange may take, the call has ended well
before `SUBMIT_SECONDS` are over, after which other runs take its outcome for unknown."""
SUBMIT_WAIT_SECONDS: Final = 5.0
"""That Stop waits for a submit call under way, so that its job can be cancelled."""


class SubmitCall:
    """A run's submit call. Its intent, the exchange and what became of it are one piece in a thread, so that a job is
    written down even when the run that waits for it is cut off."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._given_up = False
        self._lock = threading.Lock()
        self._call: Future[bool] | None = None

    def start(self, seen: Sequence[JobRecord], key: RequestKey, run: str, request: GenerationRequest) -> Future[bool]:
        """Begin the call. `Job.record` holds what becomes of it.

        Args:
            seen: the records by which it was decided; if there are others by now, nothing is sent and False results.

        The future raises:
            StopRequested: nobody waits any more, and nothing was sent.
            RunComfyError: refused, or no connection; with `UNKNOWN` in the record where nobody can know.
            JournalUnusable: no record can be kept, so nothing was sent.
        """
        self._call = self._job.account.executors.calls.submit(self._submit, seen, key, run, request)
        return self._call

    async def wait(self) -> None:
        """For Stop, which sees to it that nothing is sent any more: wait until a call under way has ended, or has had
        its chance to. A job that is accepted even later is cancelled by its thread."""
        if self._call and not await ended_within(self._call, SUBMIT_WAIT_SECONDS):
            with self._lock:
                self._given_up = True

    def on_done(self, done: Callable[[], object]) -> None:
        """Call ``done`` as soon as no call is under way; at once if none is."""
        if self._call:
            self._call.add_done_callback(lambda _: done())
        else:
            done()

    def _submit(self, seen: Sequence[JobRecord], key: RequestKey, run: str, request: GenerationRequest) -> bool:
        job, account = self._job, self._job.account
        self._check_wanted()
        # Before the intent: a call that would be of no use needs none.
        account.rate_limiter.check()
        started = account.clock.with_sleep()
        refused = job.record if job.record.id and job.record.state is State.REFUSED else None
        intent = account.journal.create(seen, key, run, request, job.owner, refused)
        if intent is None:
            return False
        job.record = intent

        def check_in_time() -> None:
            """Asked when the connection stands, before the first byte of the request."""
            self._check_wanted()
            if account.clock.with_sleep() - started > FIRST_BYTE_SECONDS:
                raise ConnectError("the connection took too long")

        try:
            submit = partial(account.client.submit, before_first_byte=check_in_time)
            request_id = account.rate_limiter.call(submit, request)
        except StopRequested:
            job.move(intent, State.REFUSED)
            raise
        except RunComfyError as error:
            # What stays intended counts as unknown after a while; so even a broken journal hides no payment.
            job.move(intent, State.REFUSED if error.not_accepted else State.UNKNOWN, reason=error.message)
            raise
        self._accept(intent, request_id)
        return True

    def _check_wanted(self) -> None:
        if self._job.cancellation.is_cancelled():
            raise StopRequested

    def _accept(self, intent: JobRecord, request_id: str) -> None:
        job = self._job
        try:
            accepted = job.account.journal.accept(intent, request_id)
        except JournalUnusable as error:
            accepted = job.unwritten(error, intent, State.ACCEPTED, request_id=request_id)
        with self._lock:
            # Either Stop finds the job and cancels it, or it has given up waiting and this does.
            job.record, given_up = accepted, self._given_up
        if given_up or accepted.state is State.SURPLUS:
            with suppress(SeedanceError):  # what became of it is found by the next run
                cancel_and_record(job)
