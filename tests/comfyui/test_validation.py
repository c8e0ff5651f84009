"""Every wrong input is refused before anything runs, with a message that says what to do, and costs nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.comfyui.conftest import ServiceLog
from tests.comfyui.failures import failure_of
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
    assert blamed(refusal.value) == {"text"}
    assert service_log.submissions == []


@pytest.mark.parametrize(("option", "value"), WRONG_OPTIONS.values(), ids=WRONG_OPTIONS.keys())
def test_wrong_option_is_refused(client: Client, service_log: ServiceLog, prompt: str, option: str, value: Any) -> None:
    with pytest.raises(Refused, match=option) as refusal:
        client.run(generation(prompt, **{option: value}))
    assert list(refusal.value.node_errors) == [OPTIONS]
    assert service_log.submissions == []


WRONG_TYPES: dict[str, tuple[Any, ...]] = {
    "text": (None, 7, True, 1.5, {"a": 1}, {"__value__": ["a list"]}),
    "reuse": (None, 0, 1, "false", "", {"__value__": [1]}),
}
"""What ComfyUI would convert: to a video of "None", or to a switch that is off and buys."""


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_what_is_neither_a_text_nor_a_switch_is_refused(client: Client, service_log: ServiceLog, name: str) -> None:
    for value in WRONG_TYPES[name]:
        graph = generation("a cat")
        graph[VIDEO]["inputs"][name] = value
        with pytest.raises(Refused) as refusal:
            client.run(graph)
        assert blamed(refusal.value) == {name}, value
    assert service_log.submissions == []


def test_a_switch_that_another_node_gives_has_to_be_one(client: Client, service_log: ServiceLog, prompt: str) -> None:
    graph = generation(prompt) | {"any": node("ProbeAnything", value="off")}
    graph[VIDEO]["inputs"]["reuse"] = ["any", 0]
    assert "reuse is 'off'; it must be true or false." in failure_of(client, graph)
    assert service_log.submissions == []


@pytest.mark.parametrize(("name", "value"), [("seed", -1), ("seed", 2**31), ("count", 0), ("duration", 13)])
def test_the_widget_that_is_wrong_is_the_one_that_is_named(client: Client, prompt: str, name: str, value: Any) -> None:
    with pytest.raises(Refused) as refusal:
        client.run(generation(prompt, **{name: value}))
    assert blamed(refusal.value) == {name}


def test_more_seeds_than_there_are_is_an_error_that_says_so(client: Client, service_log: ServiceLog) -> None:
    message = failure_of(client, generation("a cat", seed=2**31 - 1, count=2))
    assert "would pass the highest seed" in message
    assert service_log.submissions == []


@pytest.mark.parametrize("name", ["mode", "on_failure"])
def test_an_unknown_choice_is_an_error_that_names_it(
    client: Client, service_log: ServiceLog, prompt: str, name: str
) -> None:
    """Some versions of ComfyUI refuse it themselves, others leave it to the node."""
    graph = generation(prompt)
    for value in ("free", None, "LIVE", 3):
        graph[VIDEO]["inputs"][name] = value
        assert name in failure_of(client, graph), value
    assert service_log.submissions == []


def blamed(refusal: Refused) -> set[str]:
    """The inputs that ComfyUI shows as wrong."""
    return {error["extra_info"]["input_name"] for each in refusal.node_errors.values() for error in each["errors"]}


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
