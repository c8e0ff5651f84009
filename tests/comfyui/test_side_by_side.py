"""Jobs of one graph wait side by side, and the rest of the graph does not wait for them."""

from __future__ import annotations

from collections.abc import Callable

import requests

from tests.comfyui.conftest import ServiceLog
from tests.comfyui.seedance_graphs import PROBE, generation, node
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Status
from tools.comfyui_events import PROGRESS_TEXT, Event

PATIENCE = 45.0  # seconds; jobs that waited for one another would wait for ever


def is_queued(event: Event) -> bool:
    return event.name == PROGRESS_TEXT and "queued" in str(event.data["text"]).lower()


def release_at(count: int, service_log: ServiceLog) -> Callable[[Event], None]:
    """Releases the service's jobs as soon as `count` of them have been submitted."""

    def on_event(event: Event) -> None:
        if is_queued(event) and len(service_log.submissions) == count:
            service_log.service.release()

    return on_event


def test_other_nodes_run_while_a_job_waits(
    client: Client, server: ComfyUI, service_log: ServiceLog, prompt: str
) -> None:
    graph = generation(prompt) | {
        "picture": node("EmptyImage", width=64, height=32, batch_size=1, color=0),
        "gate": node("ProbeGate", image=["picture", 0], gate=prompt),
        "other": node("ProbeClip", images=["gate", 0]),
    }
    steps: list[str] = []
    service_log.service.hold()

    def open_the_gate_then_release(event: Event) -> None:
        if is_queued(event) and not steps:
            steps.append("job waits")
            requests.post(f"{server.url}/probe/open/{prompt}", timeout=10).raise_for_status()
        elif event.name == "executed" and event.data["node"] in {"other", PROBE}:
            steps.append(event.data["node"])
            service_log.service.release()

    run = client.run(graph, on_event=open_the_gate_then_release, timeout=PATIENCE)
    assert run.status is Status.SUCCESS
    assert steps == ["job waits", "other", PROBE]
    assert len(service_log.submissions) == 1


def test_a_list_of_prompts_runs_side_by_side_and_keeps_its_order(
    client: Client, service_log: ServiceLog, prompt: str
) -> None:
    texts = [f"{prompt}, {word}" for word in ("one", "two", "three")]
    graph = generation(["texts", 0]) | {"texts": node("ProbeTexts", lines="\n".join(texts))}
    service_log.service.hold()
    run = client.run(graph, on_event=release_at(len(texts), service_log), timeout=PATIENCE)
    assert run.status is Status.SUCCESS
    by_id = {each.request_id: each.input["text"] for each in service_log.submissions}
    assert [by_id[seen["scalars"]["request_id"]] for seen in run.outputs[PROBE]["probe"]] == texts
