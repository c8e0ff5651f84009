"""From a workflow as the UI saves it to the graph that ComfyUI's API runs, the way the UI does it.

ComfyUI converts in the browser. This does the same for what this pack's workflows use, so that the tests run the very
files that users open. A file that does not fit the nodes is an error here, not a guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Workflow = dict[str, Any]
ApiGraph = dict[str, dict[str, Any]]

NOTES = frozenset({"Note", "MarkdownNote"})
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"  # a choice that brings further widgets with it
WIDGET_TYPES = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", DYNAMIC_COMBO})
AFTER_GENERATE = frozenset({"fixed", "increment", "decrement", "randomize"})
UPLOADS = ("image_upload", "video_upload", "animated_image_upload")
UPLOAD_BUTTON_VALUE = "image"  # what the UI saves for the upload button, whatever the medium


@dataclass(frozen=True)
class Input:
    """One input of a node type: its socket type, and the rest of its declaration."""

    name: str
    type: str
    options: dict[str, Any]
    required: bool

    @property
    def is_widget(self) -> bool:
        return self.type in WIDGET_TYPES and not self.options.get("forceInput")

    @property
    def has_control(self) -> bool:
        """Whether the UI adds a "control after generate" widget behind this one."""
        named_seed = self.type == "INT" and self.name in {"seed", "noise_seed"}
        return bool(self.options.get("control_after_generate", named_seed))


def inputs_of(declared: dict[str, dict[str, list[Any]]]) -> list[Input]:
    """The inputs in `declared`, an `input` of `/object_info`, in the UI's order: required ones first."""
    return [
        _input(name, declaration, required=group == "required")
        for group in ("required", "optional")
        for name, declaration in declared.get(group, {}).items()
    ]


def _input(name: str, declaration: list[Any], *, required: bool) -> Input:
    kind = declaration[0]
    options: dict[str, Any] = declaration[1] if len(declaration) > 1 else {}
    if isinstance(kind, list):  # how a V1 node declares a list of choices
        return Input(name, "COMBO", {**options, "options": kind}, required)
    return Input(name, kind, options, required)


def read_workflow(path: Path) -> Workflow:
    """The workflow in a UI file."""
    workflow: Workflow = json.loads(path.read_text(encoding="utf-8"))
    return workflow


def to_api_graph(workflow: Workflow, object_info: dict[str, Any]) -> ApiGraph:
    """The graph that the UI would post for `workflow`. Raises AssertionError or KeyError for one that does not fit."""
    links = {link[0]: link for link in workflow["links"]}
    graph: ApiGraph = {}
    for node in workflow["nodes"]:
        if node["type"] not in NOTES:
            inputs = inputs_of(object_info[node["type"]]["input"])
            values = _widget_values(node, inputs) | dict(_linked_inputs(node, links))
            required, names = {each.name for each in inputs if each.required}, {each.name for each in inputs}
            assert required <= values.keys(), f"{node['type']} lacks {required - values.keys()}"
            assert {name.partition(".")[0] for name in values} <= names, f"{node['type']} has too many inputs"
            graph[str(node["id"])] = {"class_type": node["type"], "inputs": values}
    return graph


def _linked_inputs(node: Workflow, links: dict[int, list[Any]]) -> Iterator[tuple[str, list[Any]]]:
    for slot, socket in enumerate(node.get("inputs", [])):
        if socket.get("link") is not None:
            _, origin, origin_slot, target, target_slot, _ = links[socket["link"]]
            assert (target, target_slot) == (node["id"], slot), f"link {socket['link']} ends elsewhere"
            yield socket["name"], [str(origin), origin_slot]


def _widget_values(node: Workflow, inputs: list[Input]) -> dict[str, Any]:
    """The values of the node's widgets by name; the file keeps them by position."""
    saved = list(node.get("widgets_values", []))
    values = dict(_paired(node["type"], inputs, saved, prefix=""))
    # The UI puts an upload button behind all declared widgets.
    has_button = any(each.options.get(upload) for each in inputs for upload in UPLOADS)
    assert saved == [UPLOAD_BUTTON_VALUE] * has_button, f"{node['type']} has {saved} after its last widget"
    return values


def _paired(node_type: str, inputs: list[Input], saved: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Takes the widgets' values off the front of `saved`. A newer core may have more optional widgets than the file."""
    for each in inputs:
        name = prefix + each.name
        if not each.is_widget or (not saved and not each.required):
            continue
        assert saved, f"{node_type} has no saved value for {name}"
        value = saved.pop(0)
        yield name, value
        if each.has_control:
            assert saved.pop(0) in AFTER_GENERATE, f"{node_type} has no saved control behind {name}"
        if each.type == DYNAMIC_COMBO:
            chosen = next(option for option in each.options["options"] if option["key"] == value)
            yield from _paired(node_type, inputs_of(chosen["inputs"]), saved, prefix=f"{name}.")
