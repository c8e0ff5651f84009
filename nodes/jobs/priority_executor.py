"""Threads that take what is most urgent first, and of which some stay free for it."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """Work of one urgency.

    Args:
        most: threads that it may have at once; what hangs in it holds up no more than these.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.busy = 0
        """Threads that it has now."""
        self.waiting: deque[Callable[[], object]] = deque()


class PriorityExecutor:
    """Shares its threads among lanes. May be used from any thread.

    Args:
        lanes: the most urgent first.
        reserve: threads that only the first lane may have.
    """

    def __init__(self, name: str, lanes: Sequence[Lane], *, threads: int, reserve: int) -> None:
        self._lanes = tuple(lanes)
        self._shared = threads - reserve
        self._lock = threading.Lock()
        # Starts threads as they are needed, and lets what they have begun end before the process does.
        self._threads = ThreadPoolExecutor(threads, name)

    def start(self, lane: Lane, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Do ``work``, in the caller's context, as soon as its lane gets to it."""
        future: Future[T] = Future()
        context = contextvars.copy_context()
        with self._lock:
            lane.waiting.append(lambda: _do(future, lambda: context.run(work, *args, **options)))
        self._threads.submit(self._serve)
        return future

    def close(self) -> None:
        """Let the threads end once they are done with what they have."""
        with self._lock:
            for lane in self._lanes:
                lane.waiting.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _serve(self) -> None:
        """Work until nothing may be begun. What is left then is begun by whoever ends what stands in its way."""
        lane, work = self._next(None)
        while lane and work:
            work()
            lane, work = self._next(lane)

    def _next(self, ended: Lane | None) -> tuple[Lane | None, Callable[[], object] | None]:
        with self._lock:
            if ended:
                ended.busy -= 1
            if not self._goes_on():
                return None, None
            shared_is_free = sum(lane.busy for lane in self._lanes) < self._shared
            for lane in self._lanes if shared_is_free else self._lanes[:1]:
                if lane.waiting and lane.busy < lane.most:
                    lane.busy += 1
                    return lane, lane.waiting.popleft()
            return None, None

    def _goes_on(self) -> bool:
        """Whether the process does. One that ends, by Ctrl+C say, would else first do, and pay for, all that waits."""
        try:
            self._threads.submit(int)
        except RuntimeError:
            return False
        return True


def _do(future: Future[T], work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  it is the caller's to handle
        future.set_exception(error)
    else:
        future.set_result(result)
