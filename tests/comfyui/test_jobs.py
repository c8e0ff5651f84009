"""What a graph makes of one job: what it asks for, what it says when it fails, when it asks for nothing."""

from __future__ import annotations

from tests.comfyui.conftest import ServiceLog
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


def test_a_failed_job_says_why_and_which(client: Client, service_log: ServiceLog, prompt: str) -> None:
    service_log.service.fail_next("The picture was not to the service's taste.")
    run = client.run(generation(prompt))
    assert run.status is Status.ERROR
    assert run.error is not None
    assert "not to the service's taste" in run.error.message
    assert service_log.submissions[0].request_id in run.error.message


def test_a_stray_node_spends_nothing(client: Client, service_log: ServiceLog, prompt: str) -> None:
    graph = {
        **generation(prompt),
        "picture": node("EmptyImage", width=64, height=32, batch_size=1, color=0),
        PROBE: node("ProbeClip", images=["picture", 0]),
    }
    assert client.run(graph).status is Status.SUCCESS
    assert service_log.submissions == []
