"""The files of the templates and of the blueprint: they open whole, explain themselves, look tidy, and cost nothing.

`test_workflows.py` runs the templates, tests/browser the blueprint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from urllib.parse import quote

import cv2
import numpy as np

from tests.comfyui.conftest import PACK, get
from tests.comfyui.contract import NODES
from tests.comfyui.graphs import NOTES, Workflow, read_workflow
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client
from tools.upscale_model import UPSCALER

FOLDER = PACK / "example_workflows"
NAMES = [
    "Seedance - First video (rehearsal)",
    "Seedance - Four seeds side by side",
    "Seedance - Last frame for the next shot",
    "Seedance - Load and cut a clip",
    "Seedance - Text to video (app)",
    "Seedance - Text to video",
    "Seedance - Upscale 2x",
    "Seedance - Upscale an existing video 2x",
    "Seedance - Upscale with image nodes",
]
TEMPLATES = {name: read_workflow(FOLDER / f"{name}.json") for name in NAMES}
BLUEPRINT = PACK / "subgraphs" / "Seedance to upscaled video.json"
TITLE_HEIGHT = 30  # the UI draws a node's title above its position
GAP = 20
PICTURE = (512, 512)
PICTURE_BYTES = 60_000


def inside(blueprint: Workflow) -> Workflow:
    """The definition of its one subgraph."""
    (definition,) = blueprint["definitions"]["subgraphs"]
    return dict(definition)


def real_nodes() -> Iterator[Workflow]:
    """Of all files, without the notes, which only the UI knows."""
    for graph in (*TEMPLATES.values(), inside(read_workflow(BLUEPRINT))):
        yield from (node for node in graph["nodes"] if node["type"] not in NOTES)


def test_each_template_has_a_picture_and_both_are_offered(server: ComfyUI) -> None:
    """Under the address that the browser makes of a name with spaces and brackets."""
    for ending in ("json", "jpg"):
        assert [file.stem for file in sorted(FOLDER.glob(f"*.{ending}"))] == NAMES
    listed = get(server, "/workflow_templates").json()["seedance"]
    for name, workflow in TEMPLATES.items():
        assert name.isascii(), name
        assert name in listed
        address = f"/api/workflow_templates/seedance/{quote(name, safe='()')}"
        assert get(server, f"{address}.json").json() == workflow
        shown = get(server, f"{address}.jpg")
        assert shown.headers["Content-Type"] == "image/jpeg", name
        assert len(shown.content) < PICTURE_BYTES, name
        decoded = cv2.imdecode(np.frombuffer(shown.content, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None, name
        assert decoded.shape[:2] == PICTURE, name


def test_the_blueprint_is_served(server: ComfyUI) -> None:
    listed = get(server, "/global_subgraphs").json().items()
    ((key, entry),) = ((key, each) for key, each in listed if each["info"]["node_pack"] == "custom_nodes.seedance")
    assert entry["name"] == BLUEPRINT.stem
    assert json.loads(get(server, f"/global_subgraphs/{key}").json()["data"]) == read_workflow(BLUEPRINT)


def test_the_blueprint_is_one_node_of_its_one_subgraph() -> None:
    """The UI takes nothing else for a blueprint."""
    blueprint = read_workflow(BLUEPRINT)
    definition, (node,) = inside(blueprint), blueprint["nodes"]
    assert node["type"] == definition["id"]
    assert node["title"] == definition["name"] == BLUEPRINT.stem
    assert (blueprint["links"], blueprint["version"], definition["version"]) == ([], 0.4, 1)
    assert definition["description"] == blueprint["extra"]["BlueprintDescription"]
    for side in ("inputs", "outputs"):
        shown = [(each["name"], each["type"]) for each in node[side]]
        assert shown == [(each["name"], each["type"]) for each in definition[side]]
    # "-1": what an input brings. By the node inside, older UIs draw the text box in the wrong place.
    widgets = [each["name"] for each in node["inputs"] if "widget" in each]
    assert widgets == ["text", "mode"]
    assert node["properties"]["proxyWidgets"] == [["-1", name] for name in widgets]


def test_nodes_fit_are_found_and_cost_nothing(client: Client) -> None:
    object_info = client.object_info()
    for node in real_nodes():
        kind, properties = node["type"], node["properties"]
        info, is_ours = object_info[kind], kind in NODES
        # A newer core may have added some to its own nodes.
        assert [each["type"] for each in node["outputs"]] == info["output"][: len(node["outputs"])], kind
        # By these the UI finds the packs and models that a newcomer lacks.
        assert properties["ver"], kind
        found_by = properties["Node name for S&R"], properties["cnr_id"]
        assert found_by == (kind, "seedance" if is_ours else "comfy-core")
        if is_ours:
            assert [each["name"] for each in node["outputs"]] == info["output_name"], kind
            declared = {name for group in info["input"].values() for name in group}
            assert {each["name"] for each in node["inputs"]} - {"upload"} == declared, kind
        if kind == "SeedanceTextToVideo":
            assert {"rehearsal", "live"} & set(map(str, node["widgets_values"])) == {"rehearsal"}
        if kind == "UpscaleModelLoader":
            (model,) = properties["models"]
            assert (model["name"], model["directory"]) == (UPSCALER, "upscale_models")
            assert node["widgets_values"][0] == UPSCALER
            assert re.fullmatch(f"https://huggingface.co/.*/{UPSCALER}", model["url"])


def test_templates_explain_themselves_can_be_read_when_they_open_and_look_tidy() -> None:
    """The UI fits one into three quarters of its window, and the classic canvas hides text below a zoom of 0.6."""
    for name, workflow in TEMPLATES.items():
        nodes = workflow["nodes"]
        notes = [node["widgets_values"][0] for node in nodes if node["type"] in NOTES]
        assert notes, name
        assert all(100 < len(text) < 700 for text in notes), name
        assert not any("`" in text for text in notes), f"{name}: in the UI's newer look, code in a note cannot be read"
        for axis, window in ((0, 1440), (1, 810)):
            extent = max(node["pos"][axis] + node["size"][axis] for node in nodes)
            assert 0.75 * window / (extent + TITLE_HEIGHT) > 0.7, name
        assert all(node["size"][1] <= 400 for node in nodes if node["type"] == "SeedanceTextToVideo"), name
        assert all(type(value) is int for node in nodes for value in node["pos"] + node["size"]), name
        for one, other in combinations(nodes, 2):
            assert apart(one, other), f"{name}: {one['type']} and {other['type']} overlap"
        by_id = {node["id"]: node for node in nodes}
        for _, origin, _, target, _, _ in workflow["links"]:
            first, second = by_id[origin], by_id[target]
            is_right = first["pos"][0] + first["size"][0] + GAP <= second["pos"][0]
            assert is_right or first["pos"][1] < second["pos"][1], name


def apart(one: Workflow, other: Workflow) -> bool:
    """Whether two nodes, their titles included, have a gap between them."""
    return any(
        first["pos"][axis] + first["size"][axis] + GAP + TITLE_HEIGHT * axis <= second["pos"][axis]
        for axis in (0, 1)
        for first, second in ((one, other), (other, one))
    )
