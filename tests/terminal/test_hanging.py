"""Ctrl-C while the service does not answer."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator

import pytest

from tests.support.faulty_service import Exchange, FaultyService
from tests.support.loopback_server import Reset
from tests.support.rehearsal import RehearsalService
from tests.terminal.terminal import PATIENCE, Terminal


@pytest.fixture
def door(service: RehearsalService) -> Iterator[FaultyService]:
    with FaultyService(service) as door:
        yield door


def test_in_a_submit_call_it_says_so_and_nothing_else(terminal: Terminal, door: FaultyService) -> None:
    arrived, stopped = threading.Event(), threading.Event()

    def hang(_: Exchange) -> Iterable[bytes]:
        arrived.set()
        # Longer than Stop waits for the call.
        stopped.wait(PATIENCE)
        raise Reset

    door.arm("submit", hang)
    arguments = ("generate", "A fox that is kept waiting", "--duration", "2")
    with terminal.begin(*arguments, RUNCOMFY_API_BASE_URL=door.origin) as process:
        assert arrived.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = ""
        while "where to look for it." not in said:
            piece = process.stderr.read(1)
            assert piece, said
            said += piece
        stopped.set()
        _, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in said + rest
    assert "It may have been charged. Run the same graph again" in said
