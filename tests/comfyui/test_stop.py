"""Pressing Stop, and how what was paid for is collected; after a crash, too: see `test_money.py`."""

from __future__ import annotations

from functools import partial

import requests

from tests.comfyui.conftest import ServiceLog, happens, in_order, lines, open_gate, request_ids, says, succeeded
from tests.comfyui.seedance_graphs import beside_a_sampler, generation, probe, text_to_video
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Status
from tools.comfyui_events import Event

JOBS = 4
"""Beside a sampler: its one Stop has to reach them all."""


def test_stop_cancels_every_waiting_job_of_the_graph_and_the_next_run_is_untouched(
    client: Client, service_log: ServiceLog, prompt: str
) -> None:
    graph = generation(prompt) | {"second": text_to_video(f"{prompt}, second"), "second probe": probe("second")}
    service_log.service.hold()

    def both_wait(event: Event) -> bool:
        return says("Queued")(event) and len(service_log.submissions) == 2

    stopped = client.run(graph, on_event=in_order((both_wait, client.interrupt)))
    assert stopped.status is Status.INTERRUPTED
    assert [each.cancelled for each in service_log.submissions] == [True, True]
    service_log.service.release()
    succeeded(client.run(generation(prompt)))


def test_stop_that_a_sampler_takes_for_itself_still_cancels_every_job(
    client: Client, server: ComfyUI, service_log: ServiceLog, prompt: str
) -> None:
    ways = ((0.1, "interrupt"), (0.001, "interrupt"), (0.001, "probe/stop"), (0.001, "api/jobs/{}/cancel"))
    for number, (seconds_a_step, way) in enumerate(ways):
        text = f"{prompt} {number}"
        service_log.service.hold()
        prompt_id = client.queue(beside_a_sampler(generation(text, count=JOBS), text, seconds_a_step))

        def press(path: str = way.format(prompt_id)) -> None:
            if not requests.post(f"{server.url}/{path}", json={}, timeout=10).ok:
                client.interrupt()  # a version of ComfyUI that does not know this way

        all_wait = says(f"{JOBS} videos: {JOBS} queued"), partial(open_gate, server, text)
        run = client.follow(prompt_id, on_event=in_order(all_wait, (happens("executing", "sampler"), press)))
        assert run.status is Status.INTERRUPTED
        cancelled = [each.cancelled for each in service_log.submissions]
        assert cancelled == [True] * JOBS * (number + 1), (seconds_a_step, way)


def test_a_job_that_stop_could_not_cancel_is_collected_by_the_next_run(
    client: Client, service_log: ServiceLog, prompt: str
) -> None:
    service_log.service.hold()
    queued, generating = (says("Queued"), service_log.hold_once_running), (says("Generating"), client.interrupt)
    stopped = client.run(generation(prompt), on_event=in_order(queued, generating))
    assert stopped.status is Status.INTERRUPTED
    assert not service_log.submissions[0].cancelled
    last_words = lines(stopped)[-1]
    assert "is running already and will be charged" in last_words
    assert "run the same graph again to collect its video without a new charge" in last_words

    service_log.service.release()
    (collected,) = request_ids(client.run(generation(prompt)))
    assert [submission.request_id for submission in service_log.submissions] == [collected]
    assert collected in last_words
