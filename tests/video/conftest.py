"""A clip of twelve numbered frames, and a place to fetch it from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clips import numbered, write_clip
from tests.support.loopback_server import Loopback, always, reply

FRAMES = 12


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MP4 with its index in front."""
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", map(numbered, range(FRAMES)))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "videos" / "job-1.mp4"


@pytest.fixture
def data(clip: Path) -> bytes:
    return clip.read_bytes()


@pytest.fixture
def server(clip: Path) -> Iterator[Loopback]:
    """Hands out the clip until a test says otherwise."""
    with Loopback(always(reply(body=clip.read_bytes()))) as server:
        yield server
