"""Threads shared by urgency: what hangs holds up nothing else, and what is urgent goes first."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager

import pytest

from nodes.jobs.priority_executor import Lane, PriorityExecutor

PATIENCE = 30.0


class Hanging:
    """Work that hangs until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self._go_on = threading.Event()

    def __call__(self) -> None:
        self.begun.release()
        assert self._go_on.wait(PATIENCE)

    def has_begun(self, times: int) -> bool:
        """Whether it began so many times more, in the end."""
        return all(self.begun.acquire(timeout=PATIENCE) for _ in range(times))

    def end(self) -> None:
        self._go_on.set()


@contextmanager
def crew(*lanes: Lane, threads: int, reserve: int = 0) -> Iterator[tuple[PriorityExecutor, Hanging]]:
    crew, hanging = PriorityExecutor("test", lanes, threads=threads, reserve=reserve), Hanging()
    try:
        yield crew, hanging
    finally:
        hanging.end()
        crew.close()


def test_a_lane_that_hangs_leaves_threads_to_the_others() -> None:
    urgent, slow = Lane(3), Lane(1)
    with crew(urgent, slow, threads=3) as (threads, hanging):
        for _ in range(5):
            threads.start(slow, hanging)
        assert hanging.has_begun(1)
        assert threads.start(urgent, lambda: "done").result(PATIENCE) == "done"
        assert not hanging.begun.acquire(blocking=False)


def test_the_reserve_is_for_the_first_lane_alone() -> None:
    first, second, third = Lane(3), Lane(3), Lane(3)
    with crew(first, second, third, threads=3, reserve=1) as (threads, hanging):
        for lane in (second, third, second, third):
            threads.start(lane, hanging)
        assert hanging.has_begun(2)
        assert threads.start(first, lambda: "done").result(PATIENCE) == "done"
        assert not hanging.begun.acquire(blocking=False)


def test_the_first_lane_may_have_every_thread() -> None:
    first, second = Lane(3), Lane(3)
    with crew(first, second, threads=3, reserve=2) as (threads, hanging):
        for _ in range(3):
            threads.start(first, hanging)
        assert hanging.has_begun(3)


def test_what_is_urgent_goes_first_and_each_lane_keeps_its_order() -> None:
    urgent, other = Lane(1), Lane(1)
    done: list[str] = []
    with crew(urgent, other, threads=1) as (threads, hanging):
        threads.start(other, hanging)
        assert hanging.has_begun(1)
        work = [threads.start(lane, done.append, name) for lane, name in ((other, "c"), (urgent, "a"), (urgent, "b"))]
        hanging.end()
        for future in work:
            future.result(PATIENCE)
    assert done == ["a", "b", "c"]


def test_everything_is_done_however_much_there_is() -> None:
    lanes = [Lane(4), Lane(2), Lane(1)]
    with crew(*lanes, threads=4, reserve=1) as (threads, _):
        work = [threads.start(lanes[number % 3], str, number) for number in range(600)]
        assert [future.result(PATIENCE) for future in work] == [str(number) for number in range(600)]


def test_what_is_called_off_in_time_is_never_begun() -> None:
    lane = Lane(1)
    with crew(lane, threads=1) as (threads, hanging):
        threads.start(lane, hanging)
        assert hanging.has_begun(1)
        called_off: Future[None] = threads.start(lane, pytest.fail, "begun")
        assert called_off.cancel()
        hanging.end()
        assert threads.start(lane, lambda: "next").result(PATIENCE) == "next"
        with pytest.raises(CancelledError):
            called_off.result(PATIENCE)


def test_an_error_is_the_callers_and_the_thread_goes_on() -> None:
    lane = Lane(1)
    with crew(lane, threads=1) as (threads, _):
        with pytest.raises(ZeroDivisionError):
            threads.start(lane, divmod, 1, 0).result(PATIENCE)
        assert threads.start(lane, divmod, 7, 2).result(PATIENCE) == (3, 1)


def test_work_runs_in_the_context_of_who_started_it() -> None:
    lane, node = Lane(1), contextvars.ContextVar("node", default="none")
    with crew(lane, threads=1) as (threads, _):
        node.set("video")
        assert threads.start(lane, node.get).result(PATIENCE) == "video"
