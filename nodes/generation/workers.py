"""The pack's own few threads, for calls that block.

Jobs wait on the event loop; only single, time-limited pieces of work run here. The pool is not asyncio's default
one: ComfyUI waits for that one at the end of a graph, and so Stop would wait for a slow connection.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Kinds of threads of their own, so that nothing that may hang delays what is quick or urgent."""

    def __init__(self, *, calls: int = 5, cancels: int = 4, downloads: int = 3, decodes: int = 1) -> None:
        self._calls = ThreadPoolExecutor(calls, "seedance-call")
        self._cancels = ThreadPoolExecutor(cancels, "seedance-cancel")
        # One: SQLite takes one writer at a time anyway.
        self._records = ThreadPoolExecutor(1, "seedance-record")
        self._downloads = ThreadPoolExecutor(downloads, "seedance-download")
        self._decodes = ThreadPoolExecutor(decodes, "seedance-decode")

    def call(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run a short exchange with the service."""
        return _start(self._calls, work, *args, **options)

    def cancel(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run what Stop waits for."""
        return _start(self._cancels, work, *args, **options)

    def record(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run something with the journal, the leases or the disk."""
        return _start(self._records, work, *args, **options)

    def download(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run an attempt at a download."""
        return _start(self._downloads, work, *args, **options)

    def decode(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run a decode; one at a time, since each may fill the memory."""
        return _start(self._decodes, work, *args, **options)

    def close(self) -> None:
        """Let the threads end once they are done with what they have."""
        for pool in (self._calls, self._cancels, self._records, self._downloads, self._decodes):
            pool.shutdown(wait=False, cancel_futures=True)


def _start(pool: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
    context = contextvars.copy_context()
    return pool.submit(lambda: context.run(work, *args, **options))
