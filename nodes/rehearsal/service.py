"""The local RunComfy as its users hold it: start it, point a client at its origin, look at its jobs."""

from __future__ import annotations

import atexit
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Final

from .api import ModelApi
from .clock import HoldableClock
from .door import Door
from .jobs import USUAL_TIMING, Timing
from .renderer import Renderer
from .scene import Scene
from .server import LoopbackServer
from .store import JobStore, Submission

DEFAULT_TOKEN: Final = "rehearsal"  # noqa: S105 - no secret: it opens nothing but this stand-in


class RehearsalService:
    """A stand-in for RunComfy on 127.0.0.1. Nothing it does costs anything or leaves this machine.

    Jobs move on by the clock alone, whether or not anybody asks; no threads wait for them. Usable once:
    `start`, then `stop`, or as a context manager. All of it may be used from several threads.
    """

    def __init__(
        self,
        *,
        tokens: Collection[str] = (DEFAULT_TOKEN,),
        timing: Timing = USUAL_TIMING,
        price_usd: float | None = 0.02,
        video: Scene | None = None,
        latency: float = 0.0,
        address: str = "",
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            tokens: one per account.
            price_usd: per second of video; None for a service that tells no price.
            video: what every video shows, whatever was asked for; made once, when the first job comes.
            latency: seconds from a call to its answer, and once more for a new connection.
            address: the origin by which its clients reach it, where that is not its own.
            port: to listen on; 0 for any free one.
            clock: seconds; only differences mean something.
        """
        self._tokens = tuple(tokens)
        self._price = price_usd
        self._latency = latency
        self._address = address
        self._port = port
        self._door = Door(clock)
        self._clock = HoldableClock(clock)
        self._renderer = Renderer(self._clock)
        self._store = JobStore(timing, self._clock, self._renderer, video)
        self._server: LoopbackServer | None = None
        self._stopped = False

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:PORT`, once started."""
        if self._server is None:
            raise RuntimeError("the rehearsal service was not started")
        return self._server.origin

    def start(self) -> None:
        """Begin to answer.

        Raises:
            OSError: the port is taken.
            RuntimeError: it was started before.
        """
        if self._server is not None or self._stopped:
            raise RuntimeError("a rehearsal service starts only once")
        server = LoopbackServer(self._port, self._store, self._door, self._latency)
        server.api = ModelApi(self._store, self._address or server.origin, self._tokens, self._price)
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), name="rehearsal-http", daemon=True).start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """End all connections and delete every file it made. Nothing if it was stopped before."""
        if self._stopped:
            return
        self._stopped = True
        atexit.unregister(self.stop)
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._renderer.close()

    def __enter__(self) -> RehearsalService:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """Every accepted submit in order, as it stands now; forgotten ones too, if they are among the last thousand."""
        return self._store.submissions

    @property
    def calls(self) -> Counter[tuple[str, str]]:
        """How often each call came in, refused or not, by (method, kind).

        Kinds: submit, status, result, cancel, model, media; unknown for any other path.
        """
        return self._store.calls

    def hold(self) -> None:
        """Freeze every job where it is: queued ones, and those submitted from now on, stay queued until `release`."""
        self._store.hold()

    def release(self) -> None:
        """Let time go on from where `hold` stopped it."""
        self._clock.release()

    def fail_next(self, reason: str) -> None:
        """Let the next accepted job end as failed with this `error`. Calls add up: one job each."""
        self._store.fail_next(reason)

    def forget(self, request_id: str) -> None:
        """Answer 404001 for this job from now on, as if it had expired. Raises `KeyError` if there is none."""
        self._store.forget(request_id)

    def wait_until_rendered(self, timeout: float = 60.0) -> bool:
        """Wait until the file of every accepted job is made; False if ``timeout`` seconds were too few.

        With a clock that is turned by hand this is all there is to wait for.
        """
        return self._renderer.wait(timeout)
