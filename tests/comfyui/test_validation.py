"""Every wrong input is refused before anything runs, with a message that says what to do, and costs nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.comfyui.conftest import Comfy, succeeded
from tests.comfyui.seedance_graphs import OPTIONS, PROBE, VIDEO, changed, generation, node, probe
from tools.comfyui_client import Refused

NO_TEXT = (None, 7, True, 1.5, {"a": 1}, ["a list"], {"__value__": ["a list"]})
NO_SWITCH = (None, 0, 1, "false", "", [1], {"__value__": [1]})
"""What ComfyUI would convert: to a video of "None", or to a switch that is off and buys."""


def test_wrong_inputs_are_refused_and_the_wrong_one_is_named(comfy: Comfy) -> None:
    table: list[tuple[str, str, Any, str]] = [
        (VIDEO, "text", "", "text is empty"),
        (VIDEO, "text", "--seed 7 a cat", "--seed"),
        *((VIDEO, "text", value, "text") for value in NO_TEXT),
        *((VIDEO, "reuse", value, "reuse") for value in NO_SWITCH),
        *((OPTIONS, "duration", value, "duration") for value in (1, 13, "long")),
        *((OPTIONS, "seed", value, "seed") for value in (-1, 2**31)),
        (OPTIONS, "count", 0, "count"),
    ]
    for of, name, value, message in table:
        with pytest.raises(Refused, match=message) as refusal:
            comfy.run(changed(generation("a cat"), of, **{name: value}))
        found = refusal.value.node_errors
        assert list(found) == [of], (name, value)
        blamed = {error["extra_info"]["input_name"] for error in found[of]["errors"]}
        assert blamed == {name}, (name, value)
    assert comfy.submissions == []


def test_what_another_node_gives_has_to_be_of_its_type(comfy: Comfy, prompt: str) -> None:
    """No link tells before it runs what comes through it."""
    table: dict[str, tuple[Any, ...]] = {
        "text": (None, 7, True, {"a": 1}, {"__value__": ["a list"]}),
        "reuse": (None, 0, 1, "off", "false", {"__value__": [True]}),
        "options": (7, "480p", {"seed": 1}),
    }
    for name, values in table.items():
        for value in values:
            giving = {"any": node("ProbeAnything", value=value)}
            message = comfy.failure(changed(generation("a cat"), **{name: ["any", 0]}) | giving)
            says = rf"{name} is (.*; it must be (a text|true or false)|not from a Seedance Options node)\."
            assert re.search(says, message), (name, value)
    assert comfy.calls == {}


def test_a_good_graph_submits_its_own_job_alone_however_long_its_text_and_without_options_the_apis_defaults(
    comfy: Comfy, prompt: str
) -> None:
    text = f"{prompt} {'very ' * 120}calm"
    succeeded(comfy.run(generation(text)))
    comfy.service.fail_next("no need to make it")
    comfy.failure({VIDEO: node("SeedanceTextToVideo", text=prompt, mode="live", reuse=True), PROBE: probe()})
    assert [each.input for each in comfy.submissions] == [
        {"text": text, "resolution": "480p", "ratio": "16:9", "duration": 2, "seed": 1},
        {"text": prompt, "resolution": "480p", "ratio": "16:9", "duration": 5, "seed": 38810827},
    ]
