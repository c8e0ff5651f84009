"""Pressing Stop, and how what was paid for is collected; after a crash, too: see `test_money.py`."""

from __future__ import annotations

from collections.abc import Callable

import requests

from nodes.rehearsal import JobState
from tests.comfyui.conftest import ServiceLog, lines, request_ids, succeeded
from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import beside_a_sampler, generation, probe, text_to_video
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Run, Status
from tools.comfyui_events import PROGRESS_TEXT, Event

JOBS = 4
"""Beside a sampler: its one Stop has to reach them all."""


def run_and_stop(
    client: Client, graph: ApiGraph, when: Callable[[Event], bool], press: Callable[[], object] | None = None
) -> Run:
    """Run a graph and press Stop, in ComfyUI's own way or in the given one, at the first event that ``when`` picks."""
    pressed: list[Event] = []

    def on_event(event: Event) -> None:
        if not pressed and when(event):
            pressed.append(event)
            (press or client.interrupt)()

    run = client.run(graph, on_event=on_event)
    assert run.status is Status.INTERRUPTED
    return run


def says(word: str) -> Callable[[Event], bool]:
    return lambda event: event.name == PROGRESS_TEXT and str(event.data["text"]).startswith(word)


def once_generating(service_log: ServiceLog) -> Callable[[Event], bool]:
    """Lets the held job begin as soon as it is seen in the queue, and picks the moment when the user reads so."""

    def generating(event: Event) -> bool:
        if says("Queued")(event) and service_log.submissions[-1].state is JobState.IN_QUEUE:
            service_log.hold_once_running()
        return says("Generating")(event)

    return generating


def test_stop_cancels_every_waiting_job_of_the_graph_and_the_next_run_is_untouched(
    client: Client, service_log: ServiceLog, prompt: str
) -> None:
    graph = generation(prompt) | {"second": text_to_video(f"{prompt}, second"), "second probe": probe("second")}
    service_log.service.hold()
    run_and_stop(client, graph, lambda event: says("Queued")(event) and len(service_log.submissions) == 2)
    assert [each.cancelled for each in service_log.submissions] == [True, True]
    service_log.service.release()
    succeeded(client.run(generation(prompt)))


def test_stop_that_a_sampler_takes_for_itself_still_cancels_every_job(
    client: Client, server: ComfyUI, service_log: ServiceLog, prompt: str
) -> None:
    ways = ((0.1, "interrupt"), (0.001, "interrupt"), (0.001, "probe/stop"), (0.001, "api/jobs/{}/cancel"))
    for number, (seconds_a_step, way) in enumerate(ways):
        text = f"{prompt} {number}"
        graph = beside_a_sampler(generation(text, count=JOBS), text, seconds_a_step)
        service_log.service.hold()
        run_ids: list[str] = []

        def sampling(event: Event, text: str = text, run_ids: list[str] = run_ids) -> bool:
            if event.name == "execution_start":
                run_ids.append(str(event.data["prompt_id"]))
            if says(f"{JOBS} videos: {JOBS} queued")(event):
                requests.post(f"{server.url}/probe/open/{text}", timeout=10).raise_for_status()
            return event.name == "executing" and event.data["node"] == "sampler"

        def press(way: str = way, run_ids: list[str] = run_ids) -> None:
            if not requests.post(f"{server.url}/{way.format(*run_ids)}", json={}, timeout=10).ok:
                client.interrupt()  # a version of ComfyUI that does not know this way

        run_and_stop(client, graph, sampling, press)
        cancelled = [each.cancelled for each in service_log.submissions]
        assert cancelled == [True] * JOBS * (number + 1), (seconds_a_step, way)


def test_a_job_that_stop_could_not_cancel_is_collected_by_the_next_run(
    client: Client, service_log: ServiceLog, prompt: str
) -> None:
    service_log.service.hold()
    stopped = run_and_stop(client, generation(prompt), once_generating(service_log))
    assert not service_log.submissions[0].cancelled
    last_words = lines(stopped)[-1]
    assert "is running already and will be charged" in last_words
    assert "run the same graph again to collect its video without a new charge" in last_words

    service_log.service.release()
    (collected,) = request_ids(client.run(generation(prompt)))
    assert [submission.request_id for submission in service_log.submissions] == [collected]
    assert collected in last_words
