"""Every wrong input is refused before anything runs, with a message that says what to do, and costs nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.comfyui.conftest import ServiceLog
from tests.comfyui.seedance_graphs import OPTIONS, VIDEO, generation, node
from tools.comfyui_client import Client, Refused, Status

WRONG_TEXTS = {
    "empty": ("", "text is empty"),
    "only white space": (" \n\t ", "text is empty"),
    "resolution flag": ("a cat --resolution 720p", "--resolution"),
    "ratio flag": ("a cat --ratio 16:9", "--ratio"),
    "duration flag": ("a cat --duration 5", "--duration"),
    "seed flag": ("--seed 7 a cat", "--seed"),
}
WRONG_OPTIONS: dict[str, tuple[str, Any]] = {
    "too long": ("duration", 13),
    "too short": ("duration", 1),
    "no number": ("duration", "long"),
    "unknown resolution": ("resolution", "4k"),
    "unknown ratio": ("ratio", "2:1"),
    "negative seed": ("seed", -1),
    "seed too large": ("seed", 2**31),
}


@pytest.mark.parametrize(("text", "message"), WRONG_TEXTS.values(), ids=WRONG_TEXTS.keys())
def test_wrong_text_is_refused(client: Client, service_log: ServiceLog, text: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as refusal:
        client.run(generation(text))
    assert list(refusal.value.node_errors) == [VIDEO]
    assert service_log.submissions == []


@pytest.mark.parametrize(("option", "value"), WRONG_OPTIONS.values(), ids=WRONG_OPTIONS.keys())
def test_wrong_option_is_refused(client: Client, service_log: ServiceLog, prompt: str, option: str, value: Any) -> None:
    with pytest.raises(Refused, match=option) as refusal:
        client.run(generation(prompt, **{option: value}))
    assert list(refusal.value.node_errors) == [OPTIONS]
    assert service_log.submissions == []


def test_unknown_mode_is_refused(client: Client, service_log: ServiceLog, prompt: str) -> None:
    with pytest.raises(Refused, match="mode"):
        client.run(generation(prompt, mode="free"))
    assert service_log.submissions == []


def test_wrong_text_from_another_node_ends_the_run(client: Client, service_log: ServiceLog) -> None:
    """Validation cannot see through a link, so the node itself has to refuse."""
    graph = generation(["texts", 0]) | {"texts": node("ProbeTexts", lines="")}
    run = client.run(graph)
    assert run.status is Status.ERROR
    assert run.error is not None
    assert run.error.node_id == VIDEO
    assert "text is empty" in run.error.message
    assert service_log.submissions == []


def test_long_text_is_allowed(client: Client, service_log: ServiceLog, prompt: str) -> None:
    text = f"{prompt} {'very ' * 120}calm"
    assert len(text) > 500
    run = client.run(generation(text))
    assert run.status is Status.SUCCESS
    assert [each.input["text"] for each in service_log.submissions] == [text]


def test_validating_a_good_graph_submits_only_its_own_job(client: Client, service_log: ServiceLog, prompt: str) -> None:
    client.object_info()
    assert service_log.submissions == []
    assert client.run(generation(prompt)).status is Status.SUCCESS
    assert [each.input for each in service_log.submissions] == [
        {"text": prompt, "resolution": "480p", "ratio": "16:9", "duration": 2, "seed": 1}
    ]
