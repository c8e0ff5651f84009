"""The pack's threads: few, and they keep nothing of what they brought."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodes.jobs.clock import SystemClock
from nodes.jobs.waiting import Cancellation, Executors

PATIENCE = 30.0
ROOT = Path(__file__).parents[2]


class Frames:
    """As large as they may be."""


@pytest.fixture
def executors() -> Iterator[Executors]:
    executors = Executors()
    yield executors
    executors.close()


def test_what_was_brought_is_gone_once_its_user_lets_it_go(executors: Executors) -> None:
    async def use() -> None:
        cancellation = Cancellation(SystemClock(), lambda _: None, lambda: False)
        frames = await cancellation.wait_for(executor.submit(Frames))
        weakref.finalize(frames, gone.set)

    for executor in (executors.decodes, executors.calls, executors.journal):
        gone = threading.Event()
        asyncio.run(use())
        assert gone.wait(PATIENCE), executor


def test_whatever_hangs_stop_the_journal_and_one_decoding_go_on(executors: Executors) -> None:
    go_on = threading.Event()
    hanging = [
        executor.submit(go_on.wait, PATIENCE) for executor in (executors.calls, executors.downloads) for _ in range(50)
    ]
    try:
        for executor in (executors.cancels, executors.journal, executors.decodes):
            assert executor.submit(str, "done").result(PATIENCE) == "done"
        # Each may fill the memory.
        first, second = executors.decodes.submit(go_on.wait, PATIENCE), executors.decodes.submit(str)
        assert not second.done()
        assert not first.done()
    finally:
        go_on.set()
    assert all(future.result(PATIENCE) for future in hanging)


GOING = """
import os
from concurrent.futures import thread
from nodes.jobs.waiting import Executors

def submit():
    os.write(1, b"x")
    while not thread._shutdown:
        pass

executors = Executors()
for _ in range(50):
    executors.calls.submit(submit)
executors.close()
"""


def test_a_process_that_ends_makes_no_call_any_more_that_has_not_begun() -> None:
    """Else Ctrl+C would wait until all that is queued is bought."""
    ended = subprocess.run([sys.executable, "-c", GOING], capture_output=True, timeout=PATIENCE, check=True, cwd=ROOT)
    assert 0 <= len(ended.stdout) <= 8
