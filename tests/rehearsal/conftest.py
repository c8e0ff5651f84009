"""A service of two accounts whose clock stands still until a test turns it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodes.rehearsal import RehearsalService, Timing
from tests.rehearsal.desk import OWNER, STRANGER, Desk, HandClock


@pytest.fixture
def desk() -> Iterator[Desk]:
    """10 s in the queue, 20 s of generating, two at a time, forgotten after 1000 s."""
    clock = HandClock()
    timing = Timing(queued=10, running=20, slots=2, expiry=1000)
    with RehearsalService(tokens=(OWNER, STRANGER), timing=timing, clock=clock) as service:
        yield Desk(service, clock)
