"""The user's side of a run, as the threads see it that work for it."""

from __future__ import annotations

import threading

import pytest

from nodes.jobs.cancellation import Watch
from tests.support.fake_runcomfy import TurningClock


def test_threads_end_their_work_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python waits for them after Ctrl+C, and a download may take ten minutes."""
    watch = Watch(TurningClock(), lambda _: None, lambda: False)
    assert not watch.is_over()
    ended = threading.Thread()
    monkeypatch.setattr(threading, "main_thread", lambda: ended)
    assert watch.is_over()
