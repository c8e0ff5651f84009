"""ComfyUI on a machine without a RunComfy token."""

from __future__ import annotations

from tests.comfyui.conftest import ServiceLog
from tests.comfyui.failures import failure_of
from tests.comfyui.seedance_graphs import FRAMES, PROBE, generation
from tools.comfyui_client import Client, Status


def test_live_without_a_token_says_how_to_set_one(
    client_without_token: Client, service_log: ServiceLog, prompt: str
) -> None:
    message = failure_of(client_without_token, generation(prompt))
    assert "RUNCOMFY_API_TOKEN" in message
    assert service_log.calls == {}


def test_rehearsal_needs_no_token_and_reaches_no_service(
    client_without_token: Client, service_log: ServiceLog, prompt: str
) -> None:
    run = client_without_token.run(generation(prompt, mode="rehearsal"))
    assert run.status is Status.SUCCESS, run.error
    assert run.outputs[PROBE]["probe"][0]["shape"][0] == FRAMES
    assert service_log.calls == {}
