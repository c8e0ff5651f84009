"""The one call that costs money. It is repeated only when it provably was not accepted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import Final

from ..runcomfy.errors import ConnectError, RateLimited, RunComfyError
from ..runcomfy.request import GenerationRequest
from .cancel import cancel_and_record
from .cancellation import Cancellation, StopRequested, ended_within
from .clock import clock_time
from .errors import OutcomeUnknown
from .events import Notice, Retrying, Submitting
from .journal import JobRecord
from .retry import Backoff
from .services import Services, record
from .states import State

CONNECT_ATTEMPTS: Final = 5
STOP_PATIENCE: Final = 5.0
"""Seconds that Stop waits for a submit call under way, so that its job can be cancelled."""


class SubmitCall:
    """One request on its way to becoming a job.

    Each call and its records run as one piece in a worker, so that a job is written down even when the run that
    waits for it is cut off.
    """

    def __init__(
        self, services: Services, cancellation: Cancellation, request: GenerationRequest, fingerprint: str
    ) -> None:
        self._services = services
        self._cancellation = cancellation
        self._request = request
        self._fingerprint = fingerprint
        self._call: Future[JobRecord] | None = None
        self._cancelled = False
        self._unwanted = False
        self._lock = threading.Lock()
        self.entry: JobRecord | None = None
        """What the journal holds; written by the worker."""

    async def run(self) -> JobRecord:
        """Submit until the service accepts or refuses it.

        Raises:
            RunComfyError: a definite refusal, or no connection after several attempts; nothing was charged.
            OutcomeUnknown: nobody can know whether it was accepted; the user has now been told.
            JournalUnusable: no record can be kept; nothing was submitted.
        """
        clock, backoff = self._services.clock, Backoff(self._services.random)
        unreachable = 0
        ends = clock.monotonic() + self._services.deadline
        while True:
            self._cancellation.report(Submitting())
            self._call = self._services.executors.submit(self._services.rate_limiter.call, self._submit)
            try:
                return await self._cancellation.wait_for(self._call)
            except (RateLimited, ConnectError) as error:
                pause = backoff.pause(error.retry_after)
                unreachable += isinstance(error, ConnectError)
                if unreachable >= CONNECT_ATTEMPTS or clock.monotonic() + pause > ends:
                    raise
                self._cancellation.report(Retrying(f"{error.message} Nothing was charged.", pause))
                await self._cancellation.sleep(pause)
            except RunComfyError as error:
                if error.not_accepted or self.entry is None:
                    raise
                telling = self._services.executors.record(
                    report_unknown, self._services, self._cancellation, self.entry
                )
                raise await self._cancellation.wait_for(telling) from error

    def cancel(self) -> None:
        """See to it that what has not been sent yet never will be."""
        # Before anybody looks at the entry: as long as it is none, the worker still comes by the mark.
        self._cancelled = True
        if self._call:
            self._call.cancel()

    async def wait(self) -> None:
        """For Stop: call it off, and wait until a call under way has ended, or has had its chance to.

        A job that is accepted even later is cancelled by the worker.
        """
        self.cancel()
        if self._call and not await ended_within(self._call, STOP_PATIENCE):
            with self._lock:
                self._unwanted = True

    def on_done(self, done: Callable[[], object]) -> None:
        """Call ``done`` as soon as no call is under way; at once if none is."""
        if self._call is None or self._call.done():
            done()
        else:
            self._call.add_done_callback(lambda _: done())

    def _submit(self) -> JobRecord:
        journal, now = self._services.journal, self._services.clock.wall
        if self.entry:
            self.entry = journal.transition(replace(self.entry, created=now()), State.INTENDED, now())
        else:
            self.entry = journal.create(self._fingerprint, self._request, now())
        if self._cancelled:
            self.entry = record(self._services, self._cancellation.report, self.entry, State.REFUSED)
            raise StopRequested
        try:
            request_id = self._services.client.submit(self._request)
        except RunComfyError as error:
            to = State.REFUSED if error.not_accepted else State.UNKNOWN
            # What was intended and never moved on counts as unknown; so even a broken journal hides no payment.
            self.entry = record(
                self._services, self._cancellation.report, replace(self.entry, reason=error.message), to
            )
            raise
        accepted = record(
            self._services, self._cancellation.report, replace(self.entry, request_id=request_id), State.ACCEPTED
        )
        with self._lock:
            # Either Stop finds the job and cancels it, or its patience is over and this does.
            self.entry, unwanted = accepted, self._unwanted
        if unwanted:
            with suppress(RunComfyError):  # what became of it is found by the next run
                cancel_and_record(self._services, self._cancellation, accepted)
        return accepted


def unknown(entry: JobRecord) -> OutcomeUnknown:
    """The error about a submission whose outcome nobody knows."""
    return OutcomeUnknown(clock_time(entry.created), entry.request.text if entry.request else "", entry.reason)


def report_unknown(services: Services, cancellation: Cancellation, entry: JobRecord) -> OutcomeUnknown:
    """Tell the user, once, about a submission whose outcome nobody knows. Returns the error to raise."""
    error = unknown(entry)
    # Shown before it is written down: a crash in between tells twice, never not at all.
    cancellation.report(Notice(str(error)))
    record(services, cancellation.report, entry, State.UNKNOWN_REPORTED)
    return error
