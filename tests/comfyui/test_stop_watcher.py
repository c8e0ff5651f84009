"""One look at Stop for all nodes that wait; what it sees between two steps of a sampler is in `test_stop.py`."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack

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
