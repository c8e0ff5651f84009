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
from .account import Services, going_on
from .errors import JournalUnusable
from .events import Event
from .records import JobRecord, RequestKey
from .states import State
from .stop import cancel_and_record
from .waiting import ended_within

FIRST_BYTE_SECONDS: Final = 15.0
"""From the intent on; later than that nothing is sent. With the 45 s that an exchange may take, the call has ended well
before `SUBMIT_SECONDS` are over, after which other runs take its outcome for unknown."""
SUBMIT_WAIT_SECONDS: Final = 5.0
"""That Stop waits for a submit call under way, so that its job can be cancelled."""


class SubmitCall:
    """One submit call. Its intent, the exchange and what became of it are one piece in a worker, so that a job is
    written down even when the run that waits for it is cut off."""

    def __init__(
        self, services: Services, report: Callable[[Event], None], owner: str, is_wanted: Callable[[], bool]
    ) -> None:
        self._services = services
        self._report = report
        self._owner = owner
        self._is_wanted = is_wanted
        self._cancelled = False
        self._unwanted = False
        self._lock = threading.Lock()
        self._future: Future[JobRecord | None] | None = None
        self.record: JobRecord | None = None
        """What the journal holds; written by the worker."""

    def start(
        self, seen: Sequence[JobRecord], key: RequestKey, run: str, request: GenerationRequest
    ) -> Future[JobRecord | None]:
        """Begin the call.

        Args:
            seen: the records by which it was decided; if there are others by now, nothing is sent and None results.

        The future raises:
            StopRequested: it was cancelled before anything was sent.
            RunComfyError: refused, or no connection; with `record.state` `UNKNOWN` where nobody can know.
            JournalUnusable: no record can be kept, so nothing was sent.
        """
        refused = self.record if self.record and self.record.state is State.REFUSED else None
        self._future = self._services.executors.calls.submit(self._submit, seen, key, run, request, refused)
        return self._future

    def cancel(self) -> None:
        """See to it that what has not been sent yet never will be."""
        self._cancelled = True
        if self._future:
            self._future.cancel()

    async def wait(self) -> None:
        """For Stop: cancel it, and wait until a call under way has ended, or has had its chance to.

        A job that is accepted even later is cancelled by the worker.
        """
        self.cancel()
        if self._future and not await ended_within(self._future, SUBMIT_WAIT_SECONDS):
            with self._lock:
                self._unwanted = True

    def on_done(self, done: Callable[[], object]) -> None:
        """Call ``done`` as soon as no call is under way; at once if none is."""
        if self._future is None or self._future.done():
            done()
        else:
            self._future.add_done_callback(lambda _: done())

    def _submit(
        self,
        seen: Sequence[JobRecord],
        key: RequestKey,
        run: str,
        request: GenerationRequest,
        refused: JobRecord | None,
    ) -> JobRecord | None:
        self._check_wanted()
        # Before the intent: a call that would be of no use needs none.
        self._services.rate_limiter.check()
        started = self._services.clock.with_sleep()
        record = self._services.journal.create(seen, key, run, request, self._owner, refused)
        if record is None:
            return None
        self.record = record

        def check_in_time() -> None:
            """Asked when the connection stands, before the first byte of the request."""
            self._check_wanted()
            if self._services.clock.with_sleep() - started > FIRST_BYTE_SECONDS:
                raise ConnectError("the connection took too long")

        try:
            submit = partial(self._services.client.submit, before_first_byte=check_in_time)
            request_id = self._services.rate_limiter.call(submit, request)
        except StopRequested:
            self.record = self._write(record, State.REFUSED)
            raise
        except RunComfyError as error:
            state = State.REFUSED if error.not_accepted else State.UNKNOWN
            self.record = self._write(record, state, reason=error.message)
            raise
        return self._accepted(record, request_id)

    def _check_wanted(self) -> None:
        if self._cancelled or not self._is_wanted():
            raise StopRequested

    def _accepted(self, record: JobRecord, request_id: str) -> JobRecord:
        try:
            accepted = self._services.journal.accept(record, request_id)
        except JournalUnusable as error:
            accepted = going_on(error, self._report, record, State.ACCEPTED, request_id=request_id)
        with self._lock:
            # Either Stop finds the job and cancels it, or it has given up waiting and this does.
            self.record, unwanted = accepted, self._unwanted
        if unwanted or accepted.state is State.SURPLUS:
            with suppress(SeedanceError):  # what became of it is found by the next run
                self.record = cancel_and_record(self._services, self._report, accepted, self._owner)[1]
        return self.record

    def _write(self, record: JobRecord, state: State, **changes: str) -> JobRecord:
        # What stays intended counts as unknown after a while; so even a broken journal hides no payment.
        return self._services.transition(self._report, record, state, **changes)
