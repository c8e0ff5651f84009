"""The local RunComfy as a whole: an HTTP server in a thread of its own, on the loopback interface only."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Final

from aiohttp import web

from .handlers import ModelApi
from .jobs import JobStore, Timing
from .render import Renderer

DEFAULT_TOKEN: Final = "rehearsal"  # noqa: S105 - no secret: it opens nothing but this stand-in
HOST: Final = "127.0.0.1"
_BACKLOG: Final = 256
"""Connections that may wait to be taken; hundreds of jobs may be polled at once."""
_IDLE_SECONDS: Final = 30.0
"""For which a connection is kept after an answer."""


class RehearsalService:
    """A stand-in for RunComfy. Nothing it does costs anything, leaves this machine or touches its disk.

    Usable once: `start`, then `stop`, or as a context manager. All of it may be used from several threads.
    """

    def __init__(
        self,
        *,
        tokens: Collection[str] = (DEFAULT_TOKEN,),
        timing: Timing | None = None,
        price_usd: float | None = 0.02,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
        renderer: Renderer | None = None,
    ) -> None:
        """
        Args:
            tokens: one per account.
            price_usd: per second of video; None for a service that names no price.
            port: to listen on; 0 for any free one.
            clock: seconds; only differences mean something.
            renderer: makes the videos, and is closed with the service.
        """
        self._renderer = renderer or Renderer()
        self.store = JobStore(timing or Timing(), clock, self._renderer)
        """The jobs it has accepted."""
        self._api = ModelApi(self.store, tuple(tokens), price_usd)
        self._port = port
        self._listening: Future[int] = Future()
        """The port."""
        self._stopping: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="rehearsal-http", daemon=True)

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:PORT`, once started."""
        if not self._listening.done():
            raise RuntimeError("the rehearsal service was not started")
        return f"http://{HOST}:{self._listening.result()}"

    def application(self) -> web.Application:
        """What it serves."""
        return self._api.application()

    def start(self) -> None:
        """Begin to answer.

        Raises:
            OSError: the port is taken.
            RuntimeError: it was started before.
        """
        self._thread.start()
        self._listening.result()

    def stop(self) -> None:
        """End all connections and whatever is being rendered. Nothing if it was stopped before."""
        if not self._stopping.done():
            self._stopping.set_result(None)
        if self._thread.is_alive():
            self._thread.join()
        self._renderer.close()

    def __enter__(self) -> RehearsalService:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        loop = asyncio.SelectorEventLoop()
        try:
            loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001 - whatever it is, `start` waits for it
            self._listening.set_exception(error)
        finally:
            loop.close()

    async def _serve(self) -> None:
        runner = web.AppRunner(
            self.application(),
            handle_signals=False,
            shutdown_timeout=0.5,
            access_log=None,
            keepalive_timeout=_IDLE_SECONDS,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port, backlog=_BACKLOG).start()
            self._listening.set_result(runner.addresses[0][1])
            await asyncio.wrap_future(self._stopping)
        finally:
            await runner.cleanup()
