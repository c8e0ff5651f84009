"""What the browser is told of a video that is left out, so that it can say so without calling the run failed."""

from __future__ import annotations

from tests.comfyui.seedance_graphs import VIDEO, generation
from tools.comfyui_client import Client, Status


def test_a_video_that_is_left_out_is_told_with_its_place_and_reason(client_without_token: Client, prompt: str) -> None:
    graph = generation(prompt, count=2)
    graph[VIDEO]["inputs"]["on_failure"] = "skip"
    run = client_without_token.run(graph)
    assert run.status is Status.SUCCESS
    told = [event.data for event in run.events if event.name == "seedance.left_out"]
    assert [(each["node"], each["item"]) for each in told] == [(VIDEO, 0), (VIDEO, 1)]
    assert all("Settings > Seedance" in each["reason"] for each in told)


def test_a_failure_that_ends_the_run_is_told_by_comfyui_alone(client_without_token: Client, prompt: str) -> None:
    run = client_without_token.run(generation(prompt))
    assert run.status is Status.ERROR
    assert "seedance.left_out" not in [event.name for event in run.events]
