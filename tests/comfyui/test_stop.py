"""Stop, as ComfyUI passes it on. What becomes of a job at each moment is in `tests/jobs/test_stop.py`."""

from __future__ import annotations

from functools import partial

import requests

from tests.comfyui.conftest import Comfy, happens, in_order, says
from tests.comfyui.seedance_graphs import beside_a_sampler, generation
from tools.comfyui_client import Status

JOBS = 4
"""Beside a sampler: its one Stop has to reach them all."""


def test_stop_that_a_sampler_takes_for_itself_still_cancels_every_job(comfy: Comfy, prompt: str) -> None:
    ways = ((0.1, "interrupt"), (0.001, "interrupt"), (0.001, "probe/stop"), (0.001, "api/jobs/{}/cancel"))
    for number, (seconds_a_step, way) in enumerate(ways):
        text = f"{prompt} {number}"
        comfy.service.hold()
        prompt_id = comfy.client.queue(beside_a_sampler(generation(text, count=JOBS), text, seconds_a_step))

        def press(path: str = way.format(prompt_id)) -> None:
            if not requests.post(f"{comfy.url}/{path}", json={}, timeout=10).ok:
                comfy.client.interrupt()  # a version of ComfyUI that does not know this way

        all_wait = says(f"{JOBS} videos: {JOBS} queued"), partial(comfy.open_gate, text)
        run = comfy.client.follow(prompt_id, on_event=in_order(all_wait, (happens("executing", "sampler"), press)))
        assert run.status is Status.INTERRUPTED
        cancelled = [each.cancelled for each in comfy.submissions]
        assert cancelled == [True] * JOBS * (number + 1), (seconds_a_step, way)
