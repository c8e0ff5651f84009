"""One look at Stop for all nodes that wait."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from nodes.comfyui.stop import StopWatcher

PATIENCE = 60.0  # seconds, for a moment


def test_however_many_wait_one_loop_looks_and_only_while_they_do() -> None:
    async def scenario() -> None:
        pressed = threading.Event()  # ComfyUI's flag, which the next node clears
        watcher = StopWatcher(asyncio.get_running_loop(), pressed.is_set)
        for _ in range(2):  # it begins anew after it has ended
            with ExitStack() as waiting:
                stops = [waiting.enter_context(watcher.watching()) for _ in range(5)]
                await asyncio.sleep(0)
                (loop,) = asyncio.all_tasks() - {asyncio.current_task()}
                pressed.set()
                for stop in stops:
                    await asyncio.to_thread(stop.wait, PATIENCE)
                pressed.clear()
                assert all(stop.is_set() for stop in stops), "it stays so when the flag is cleared"
                with watcher.watching() as later:
                    await asyncio.sleep(0)
                    assert asyncio.all_tasks() == {asyncio.current_task(), loop}
                    assert not later.is_set()
            await loop

    asyncio.run(scenario())


def test_a_post_that_presses_stop_is_seen_before_any_node_can_clear_it() -> None:
    async def scenario() -> None:
        pressed = threading.Event()  # ComfyUI's flag, which the next node clears
        watcher = StopWatcher(asyncio.get_running_loop(), pressed.is_set)

        async def press(_: web.Request) -> web.Response:
            pressed.set()
            raise web.HTTPNoContent

        for method, seen in (("GET", False), ("POST", True)):
            with watcher.watching() as stop:
                try:
                    await watcher.look_after_post(make_mocked_request(method, "/anything"), press)
                except web.HTTPNoContent:
                    pressed.clear()
                assert stop.is_set() is seen, method

    asyncio.run(scenario())
