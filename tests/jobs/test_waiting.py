"""The user's side of a run, as the threads see it that work for it."""

from __future__ import annotations

import threading

import pytest

from nodes.jobs.waiting import Cancellation
from tests.support.fake_runcomfy import TurningClock


def test_threads_end_their_work_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python waits for them after Ctrl+C, and a download may take ten minutes."""
    cancellation = Cancellation(TurningClock(), lambda _: None, lambda: False)
    assert not cancellation.is_cancelled()
    ended = threading.Thread()
    monkeypatch.setattr(threading, "main_thread", lambda: ended)
    assert cancellation.is_cancelled()
