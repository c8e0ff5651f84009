"""A service of two accounts whose clock stands still until a test turns it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodes.rehearsal import RehearsalService, Timing
from nodes.rehearsal import render as video
from tests.support.rehearsal_client import OWNER, STRANGER, HandClock, RehearsalClient, Stage


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Mere bytes in place of video, wherever a test does not look at the picture."""
    stage = Stage()
    monkeypatch.setattr(video, "render", stage.film)
    return stage


@pytest.fixture
def client(stage: Stage) -> Iterator[RehearsalClient]:
    """10 s in the queue, 20 s of generating, two at a time, forgotten after 1000 s."""
    yield from _serve()


@pytest.fixture
def filming_desk() -> Iterator[RehearsalClient]:
    """The same with real video."""
    yield from _serve()


def _serve() -> Iterator[RehearsalClient]:
    clock = HandClock()
    timing = Timing(queued=10, running=20, slots=2, expiry=1000)
    with RehearsalService(tokens=(OWNER, STRANGER), timing=timing, clock=clock) as service:
        yield RehearsalClient(service, clock)
