"""What a hostile server keeps busy is free again once Stop is pressed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

from tests.comfyui.seedance_graphs import OPTIONS, generation, options
from tests.hostile.cases import Case, Ending
from tests.hostile.conftest import TIMEOUT, Scene
from tests.support.faulty_service import Exchange
from tools.comfyui_client import Status

DOWNLOADS = 4
"""Threads that download."""
JOBS = 2 * DOWNLOADS
"""More than can be downloaded at once."""


def test_heads_that_trickle_for_ever_hold_no_download_after_stop(scene: Scene) -> None:
    begun: list[Exchange] = []
    all_held = threading.Event()

    def trickle(exchange: Exchange) -> Iterator[bytes]:
        begun.append(exchange)
        if len(begun) < DOWNLOADS:
            scene.api.arm("media", trickle)
        else:
            all_held.set()
        yield b"HTTP/1.1 200 OK\r\nX-Slow: "
        while not exchange.over.wait(0.02):
            yield b"y"

    scene.api.arm("media", trickle)
    try:
        run = scene.client.queue(generation("a film that never begins") | {OPTIONS: options(seed=1900, count=JOBS)})
        assert all_held.wait(TIMEOUT)
        scene.client.interrupt(run)
        assert scene.client.follow(run, timeout=TIMEOUT).status is Status.INTERRUPTED
    finally:
        scene.api.mend()
    after = scene.visit(Case("after Stop", json.dumps(generation("a film that does", seed=1950)), Ending.RUNS))
    assert after.ending is Ending.RUNS, after.message
