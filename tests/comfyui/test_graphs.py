"""The conversion that the tests of the workflows rest on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.comfyui.graphs import MismatchError, Workflow, to_api_graph

CODEC = ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "h264", "inputs": {"required": {"crf": ["INT", {}]}}}]}]
OBJECT_INFO: dict[str, Any] = {
    "Load": {
        "input": {
            "required": {"file": ["COMBO", {"video_upload": True, "options": []}], "seed": ["INT", {}]},
            "optional": {"start": ["INT", {}]},
        }
    },
    "Save": {
        "input": {"required": {"video": ["VIDEO"], "fps": ["FLOAT", {}], "codec": CODEC, "kind": [["a", "b"]]}}
    },
}  # fmt: skip


def workflow(**changes: list[Any]) -> Workflow:
    """Load -> Save, and a note; `changes` are other saved widget values by node type."""
    values = {"Load": ["x.mp4", 7, "fixed", 3, "image"], "Save": [24, "h264", 18, "b"], "Note": ["hello"]} | changes
    inputs = {"Save": [{"name": "video", "link": 5}, {"name": "fps", "link": None}]}
    return {
        "nodes": [
            {"id": number, "type": name, "inputs": inputs.get(name, []), "widgets_values": values[name]}
            for number, name in enumerate(("Load", "Save", "Note"), start=1)
        ],
        "links": [[5, 1, 0, 2, 0, "VIDEO"]],
    }


def test_widgets_links_controls_and_nested_choices_are_converted() -> None:
    assert to_api_graph(workflow(), OBJECT_INFO) == {
        "1": {"class_type": "Load", "inputs": {"file": "x.mp4", "seed": 7, "start": 3}},
        "2": {
            "class_type": "Save",
            "inputs": {"video": ["1", 0], "fps": 24, "codec": "h264", "codec.crf": 18, "kind": "b"},
        },
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"Load": ["x.mp4", 7, 3, "image"]},
        {"Load": ["x.mp4", 7, "fixed", 3]},
        {"Load": ["x.mp4", 7, "fixed", 3, "image", "more"]},
        {"Save": [24, "h264", 18]},
        {"Save": [24, "h264", 18, "b", "more"]},
    ],
    ids=["no control", "no button", "one too many", "one too few", "no button wanted"],
)
def test_values_that_do_not_fit_the_nodes_are_an_error(changes: dict[str, list[Any]]) -> None:
    with pytest.raises(MismatchError):
        to_api_graph(workflow(**changes), OBJECT_INFO)


def test_a_link_that_ends_elsewhere_is_an_error() -> None:
    wrong = workflow()
    wrong["links"][0][3] = 1
    with pytest.raises(MismatchError):
        to_api_graph(wrong, OBJECT_INFO)


def test_an_unconnected_required_socket_is_an_error() -> None:
    wrong = workflow()
    wrong["nodes"][1]["inputs"][0]["link"] = None
    with pytest.raises(MismatchError, match="video"):
        to_api_graph(wrong, OBJECT_INFO)
