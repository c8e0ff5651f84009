"""A service of two accounts whose clock stands still until a test turns it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodes.rehearsal import RehearsalService, Timing
from nodes.rehearsal import render as footage
from tests.support.rehearsal_client import OWNER, STRANGER, Desk, HandClock, Stage


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Mere bytes in place of footage, wherever a test does not look at the picture."""
    stage = Stage()
    monkeypatch.setattr(footage, "render", stage.film)
    return stage


@pytest.fixture
def desk(stage: Stage) -> Iterator[Desk]:
    """10 s in the queue, 20 s of generating, two at a time, forgotten after 1000 s."""
    yield from _serve()


@pytest.fixture
def filming_desk() -> Iterator[Desk]:
    """The same with real footage."""
    yield from _serve()


def _serve() -> Iterator[Desk]:
    clock = HandClock()
    timing = Timing(queued=10, running=20, slots=2, expiry=1000)
    with RehearsalService(tokens=(OWNER, STRANGER), timing=timing, clock=clock) as service:
        yield Desk(service, clock)
