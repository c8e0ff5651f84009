"""The pack's threads: few, and they keep nothing of what they brought."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from nodes.jobs.cancellation import Cancellation
from nodes.jobs.clock import SystemClock
from nodes.jobs.executors import DOWNLOADS, FOR_STOP, NETWORK_THREADS, READS, SUBMITS, Executors

PATIENCE = 30.0
ROOT = Path(__file__).parents[2]


class Frames:
    """As large as they may be."""


@pytest.fixture
def executors() -> Iterator[Executors]:
    executors = Executors()
    yield executors
    executors.close()


@pytest.mark.parametrize("kind", ["decode", "call", "record"])
def test_what_was_brought_is_gone_once_its_user_lets_it_go(executors: Executors, kind: str) -> None:
    start: Callable[[type[Frames]], Future[Frames]] = getattr(executors, kind)
    gone = threading.Event()

    async def use() -> None:
        cancellation = Cancellation(SystemClock(), lambda _: None, lambda: False)
        frames = await cancellation.wait_for(start(Frames))
        weakref.finalize(frames, gone.set)

    asyncio.run(use())
    assert gone.wait(PATIENCE)


def test_one_video_is_decoded_at_a_time(executors: Executors) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    first, second = executors.decode(hang), executors.decode(str)
    try:
        assert begun.wait(PATIENCE)
        assert executors.record(str).result(PATIENCE) == ""
        assert not second.running()
        assert not second.done()
    finally:
        go_on.set()
    first.result(PATIENCE)
    assert second.result(PATIENCE) == ""


def test_whatever_hangs_stop_finds_threads(executors: Executors) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def hang() -> bool:
        begun.release()
        return go_on.wait(PATIENCE)

    hanging = [start(hang) for start in (executors.submit, executors.call, executors.download) * 20]
    try:
        for _ in range(NETWORK_THREADS - FOR_STOP):
            assert begun.acquire(timeout=PATIENCE)
        # Not just once: a thread that is not kept for Stop would go on to what hangs.
        for _ in range(NETWORK_THREADS):
            assert executors.cancel(lambda: "cancelled").result(PATIENCE) == "cancelled"
    finally:
        go_on.set()
    assert all(future.result(PATIENCE) for future in hanging)


def test_no_kind_of_call_can_take_all_that_the_others_need() -> None:
    for most in (SUBMITS, READS, DOWNLOADS):
        assert most < NETWORK_THREADS - FOR_STOP


GOING = """
import os
from concurrent.futures import thread
from nodes.jobs.executors import SUBMITS, Executors

def submit():
    os.write(1, b"x")
    while not thread._shutdown:
        pass

executors = Executors()
for _ in range(SUBMITS * 5):
    executors.submit(submit)
"""


def test_a_process_that_ends_makes_no_call_any_more_that_has_not_begun() -> None:
    """Else Ctrl+C would wait until all that is queued is bought."""
    ended = subprocess.run([sys.executable, "-c", GOING], capture_output=True, timeout=PATIENCE, check=True, cwd=ROOT)
    assert 0 < len(ended.stdout) <= SUBMITS
