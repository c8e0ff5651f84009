"""A terminal beside a local RunComfy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nodes.rehearsal import Timing
from tests.support.rehearsal import RehearsalService
from tests.terminal.terminal import TOKEN, Terminal


@pytest.fixture(scope="module")
def service() -> Iterator[RehearsalService]:
    with RehearsalService(tokens=(TOKEN,), timing=Timing(queued=0.1, running=0.2)) as service:
        yield service
        service.release()


@pytest.fixture
def terminal(tmp_path: Path, service: RehearsalService) -> Terminal:
    return Terminal(tmp_path, service)
