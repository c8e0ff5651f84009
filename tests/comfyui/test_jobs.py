"""What a graph makes of one job: what it asks for, what it says when it fails, when it asks for nothing."""

from __future__ import annotations

from tests.comfyui.conftest import ServiceLog, failure_of
from tests.comfyui.seedance_graphs import PROBE, VIDEO, generation, node, probe
from tools.comfyui_client import Client, Status


def test_without_options_the_defaults_of_the_api_apply(client: Client, service_log: ServiceLog, prompt: str) -> None:
    service_log.service.fail_next("no need to make it")
    run = client.run({VIDEO: node("SeedanceTextToVideo", text=prompt, mode="live", reuse=True), PROBE: probe()})
    assert run.status is Status.ERROR
    (submission,) = service_log.submissions
    assert submission.input == {
        "text": prompt, "resolution": "480p", "ratio": "16:9", "duration": 5, "seed": 38810827
    }  # fmt: skip


def test_a_stray_node_spends_nothing(client: Client, service_log: ServiceLog, prompt: str) -> None:
    graph = {
        **generation(prompt),
        "picture": node("EmptyImage", width=64, height=32, batch_size=1, color=0),
        PROBE: node("ProbeClip", images=["picture", 0]),
    }
    assert client.run(graph).status is Status.SUCCESS
    assert service_log.submissions == []


def test_live_without_a_token_says_how_to_set_one(
    client_without_token: Client, service_log: ServiceLog, prompt: str
) -> None:
    assert "RUNCOMFY_API_TOKEN" in failure_of(client_without_token, generation(prompt))
    assert service_log.calls == {}


def test_the_browser_hears_of_a_video_that_is_left_out_but_not_of_a_failed_run(
    client_without_token: Client, prompt: str
) -> None:
    """So that it can say so without calling the run failed; ComfyUI itself says the other."""
    graph = generation(prompt, count=2)
    for on_failure, status, items in (("skip", Status.SUCCESS, [0, 1]), ("stop", Status.ERROR, [])):
        graph[VIDEO]["inputs"]["on_failure"] = on_failure
        run = client_without_token.run(graph)
        assert run.status is status
        heard = [event.data for event in run.events if event.name == "seedance.left_out"]
        assert [(each["node"], each["item"]) for each in heard] == [(VIDEO, item) for item in items]
        assert all("Settings > Seedance" in each["reason"] for each in heard)
