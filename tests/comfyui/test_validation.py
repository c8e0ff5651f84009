"""Every wrong input is refused before anything runs, with a message that says what to do, and costs nothing."""

from __future__ import annotations

import pytest

from tests.comfyui.conftest import ServiceLog
from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import OPTIONS, VIDEO, generation, node
from tools.comfyui_client import Client, Refused, Status


def test_wrong_inputs_are_refused(client: Client, service_log: ServiceLog, prompt: str) -> None:
    table: list[tuple[ApiGraph, str, str]] = [
        (generation(""), VIDEO, "text is empty"),
        (generation(" \n\t "), VIDEO, "text is empty"),
        (generation("a cat --resolution 720p"), VIDEO, "--resolution"),
        (generation("a cat --ratio 16:9"), VIDEO, "--ratio"),
        (generation("a cat --duration 5"), VIDEO, "--duration"),
        (generation("--seed 7 a cat"), VIDEO, "--seed"),
        (generation(prompt, mode="free"), VIDEO, "mode"),
        (generation(prompt, duration=13), OPTIONS, "duration"),
        (generation(prompt, duration=1), OPTIONS, "duration"),
        (generation(prompt, duration="long"), OPTIONS, "duration"),
        (generation(prompt, resolution="4k"), OPTIONS, "resolution"),
        (generation(prompt, ratio="2:1"), OPTIONS, "ratio"),
        (generation(prompt, seed=-1), OPTIONS, "seed"),
        (generation(prompt, seed=2**31), OPTIONS, "seed"),
    ]
    for graph, at, message in table:
        with pytest.raises(Refused, match=message) as refusal:
            client.run(graph)
        assert list(refusal.value.node_errors) == [at], message
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
