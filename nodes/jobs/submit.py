"""The one call that costs money. It is repeated only when it provably was not accepted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import Final

from ..runcomfy.errors import RateLimited, RunComfyError, Unreachable
from ..runcomfy.request import GenerationRequest
from .cancel import cancel_and_record
from .cancellation import StopSeen, Watch, ended_within
from .clock import clock_time
from .errors import OutcomeUnknown
from .events import Notice, Retrying, Submitting
from .journal import Entry
from .retry import Backoff
from .services import Means, record
from .states import State

CONNECT_ATTEMPTS: Final = 5
STOP_PATIENCE: Final = 5.0
"""Seconds that Stop waits for a submit call under way, so that its job can be cancelled."""


class Submission:
    """One request on its way to becoming a job.

    Each call and its records run as one piece in a worker, so that a job is written down even when the run that
    waits for it is cut off.
    """

    def __init__(self, means: Means, watch: Watch, request: GenerationRequest, fingerprint: str) -> None:
        self._means = means
        self._watch = watch
        self._request = request
        self._fingerprint = fingerprint
        self._call: Future[Entry] | None = None
        self._called_off = False
        self._unwanted = False
        self._lock = threading.Lock()
        self.entry: Entry | None = None
        """What the journal holds; written by the worker."""

    async def accepted(self) -> Entry:
        """Submit until the service accepts or refuses it.

        Raises:
            RunComfyError: a definite refusal, or no connection after several attempts; nothing was charged.
            OutcomeUnknown: nobody can know whether it was accepted; the user has now been told.
            JournalUnusable: no record can be kept; nothing was submitted.
        """
        clock, backoff = self._means.clock, Backoff(self._means.random)
        unreachable = 0
        ends = clock.monotonic() + self._means.deadline
        while True:
            self._watch.show(Submitting())
            self._call = self._means.workers.submit(self._means.gate.through, self._submit)
            try:
                return await self._watch.result(self._call)
            except (RateLimited, Unreachable) as error:
                pause = backoff.pause(error.retry_after)
                unreachable += isinstance(error, Unreachable)
                if unreachable >= CONNECT_ATTEMPTS or clock.monotonic() + pause > ends:
                    raise
                self._watch.show(Retrying(f"{error.what} Nothing was charged.", pause))
                await self._watch.pause(pause)
            except RunComfyError as error:
                if error.not_accepted or self.entry is None:
                    raise
                telling = self._means.workers.record(tell_unknown, self._means, self._watch, self.entry)
                raise await self._watch.result(telling) from error

    def call_off(self) -> None:
        """See to it that what has not been sent yet never will be."""
        # Before anybody looks at the entry: as long as it is none, the worker still comes by the mark.
        self._called_off = True
        if self._call:
            self._call.cancel()

    async def over(self) -> None:
        """For Stop: call it off, and wait until a call under way has ended, or has had its chance to.

        A job that is accepted even later is cancelled by the worker.
        """
        self.call_off()
        if self._call and not await ended_within(self._call, STOP_PATIENCE):
            with self._lock:
                self._unwanted = True

    def when_over(self, done: Callable[[], object]) -> None:
        """Call ``done`` as soon as no call is under way; at once if none is."""
        if self._call is None or self._call.done():
            done()
        else:
            self._call.add_done_callback(lambda _: done())

    def _submit(self) -> Entry:
        journal, now = self._means.journal, self._means.clock.wall
        if self.entry:
            self.entry = journal.move(replace(self.entry, created=now()), State.INTENDED, now())
        else:
            self.entry = journal.intend(self._fingerprint, self._request, now())
        if self._called_off:
            self.entry = record(self._means, self._watch.show, self.entry, State.REFUSED)
            raise StopSeen
        try:
            request_id = self._means.client.submit(self._request)
        except RunComfyError as error:
            to = State.REFUSED if error.not_accepted else State.UNKNOWN
            # What was intended and never moved on counts as unknown; so even a broken journal hides no payment.
            self.entry = record(self._means, self._watch.show, replace(self.entry, reason=error.what), to)
            raise
        accepted = record(self._means, self._watch.show, replace(self.entry, request_id=request_id), State.ACCEPTED)
        with self._lock:
            # Either Stop finds the job and cancels it, or its patience is over and this does.
            self.entry, unwanted = accepted, self._unwanted
        if unwanted:
            with suppress(RunComfyError):  # what became of it is found by the next run
                cancel_and_record(self._means, self._watch, accepted)
        return accepted


def unknown(entry: Entry) -> OutcomeUnknown:
    """The error about a submission whose outcome nobody knows."""
    return OutcomeUnknown(clock_time(entry.created), entry.request.text if entry.request else "", entry.reason)


def tell_unknown(means: Means, watch: Watch, entry: Entry) -> OutcomeUnknown:
    """Tell the user, once, about a submission whose outcome nobody knows. Returns the error to raise."""
    error = unknown(entry)
    # Shown before it is written down: a crash in between tells twice, never not at all.
    watch.show(Notice(str(error)))
    record(means, watch.show, entry, State.TOLD)
    return error
