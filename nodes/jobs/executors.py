"""The pack's own few threads, for calls that block.

Jobs wait on the event loop; only single, time-limited pieces of work run here. The threads are not asyncio's default
ones: ComfyUI waits for those at the end of a graph, and so Stop would wait for a slow connection.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from .priority_executor import Lane, PriorityExecutor

P = ParamSpec("P")
T = TypeVar("T")

NETWORK_THREADS: Final = 12
"""With one for records, one for decoding and the two that decoding takes along, the pack has 16."""
FOR_STOP: Final = 2
"""Of these, how many do nothing else than what Stop waits for."""
SUBMITS: Final = 8
READS: Final = 7
DOWNLOADS: Final = 5


class Executors:
    """Kinds of work that do not stand in each other's way, so that nothing that may hang delays what is urgent."""

    def __init__(self) -> None:
        self._cancels, self._submits = Lane(NETWORK_THREADS), Lane(SUBMITS)
        self._downloads, self._reads = Lane(DOWNLOADS), Lane(READS)
        # Hundreds of jobs that are asked about would keep the finished ones waiting; so downloads come before reads.
        lanes = (self._cancels, self._submits, self._downloads, self._reads)
        self._network = PriorityExecutor("seedance-network", lanes, threads=NETWORK_THREADS, reserve=FOR_STOP)
        # One: SQLite takes one writer at a time anyway.
        self._records = ThreadPoolExecutor(1, "seedance-record")
        self._decodes = ThreadPoolExecutor(1, "seedance-decode")

    def cancel(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run what Stop waits for."""
        return self._network.start(self._cancels, work, *args, **options)

    def submit(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run the call that costs money."""
        return self._network.start(self._submits, work, *args, **options)

    def call(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run any other short exchange with the service."""
        return self._network.start(self._reads, work, *args, **options)

    def download(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run an attempt at a download."""
        return self._network.start(self._downloads, work, *args, **options)

    def record(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run something with the journal, the claims or the disk."""
        return _start(self._records, work, *args, **options)

    def decode(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Run a decode; one at a time, since each may fill the memory."""
        return _start(self._decodes, work, *args, **options)

    def close(self) -> None:
        """Let the threads end once they are done with what they have."""
        self._network.close()
        for pool in (self._records, self._decodes):
            pool.shutdown(wait=False, cancel_futures=True)


def _start(pool: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
    context = contextvars.copy_context()
    return pool.submit(lambda: context.run(work, *args, **options))
