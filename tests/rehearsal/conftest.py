"""A service of two accounts whose clock stands still until a test turns it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodes.rehearsal import Timing
from tests.support.fake_runcomfy import TurningClock
from tests.support.rehearsal import RehearsalService
from tests.support.rehearsal_client import OWNER, STRANGER, FakeVideos, RehearsalClient


@pytest.fixture
def videos() -> FakeVideos:
    return FakeVideos()


@pytest.fixture
def client(videos: FakeVideos) -> Iterator[RehearsalClient]:
    """10 s in the queue, 20 s of generating, forgotten after 1000 s; mere bytes in place of videos."""
    clock, timing = TurningClock(), Timing(queued=10, running=20, expiry=1000)
    with RehearsalService(tokens=(OWNER, STRANGER), timing=timing, clock=clock.monotonic, make=videos.make) as service:
        yield RehearsalClient(service, clock)
