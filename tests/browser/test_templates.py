"""The example workflows, as the web UI itself lists, opens and converts them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.ui import Ui
from tests.comfyui.conftest import PACK
from tests.comfyui.graphs import ApiGraph, read_workflow, to_api_graph
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client

FILES = sorted((PACK / "example_workflows").glob("*.json"))
APP = "Seedance - Text to video (app)"
CONNECT = """() => {
    const [blueprint] = app.graph.nodes
    const [options, model, save] = ["SeedanceOptions", "UpscaleModelLoader", "SaveVideo"].map((type) => {
        const node = LiteGraph.createNode(type)
        app.graph.add(node)
        return node
    })
    options.connect(0, blueprint, blueprint.findInputSlot("options"))
    model.connect(0, blueprint, blueprint.findInputSlot("upscale_model"))
    blueprint.connect(blueprint.findOutputSlot("video"), save, save.findInputSlot("video"))
}"""


@pytest.fixture(scope="module")
def object_info(server: ComfyUI) -> dict[str, Any]:
    with Client(server.url) as client:
        return client.object_info()


@pytest.mark.parametrize("file", [file for file in FILES if file.stem != APP], ids=lambda file: file.stem)
def test_the_template_opens_whole_and_as_the_server_tests_run_it(
    ui: Ui, object_info: dict[str, Any], file: Path
) -> None:
    ui.open_template(file.stem)
    is_whole(ui, object_info, file)


def test_a_missing_node_would_be_noticed(ui: Ui) -> None:
    """So the tests above can fail."""
    workflow = read_workflow(FILES[0])
    next(node for node in workflow["nodes"] if node["type"] == "SeedanceTextToVideo")["type"] = "SeedanceOfTomorrow"
    ui.open_workflow(workflow)
    expect(ui.complaints().first).to_be_visible()
    assert ui.unknown_nodes() == ["SeedanceOfTomorrow"]


def test_the_blueprint_does_what_the_upscaling_template_does(ui: Ui, object_info: dict[str, Any]) -> None:
    """Which tests/comfyui runs: from options and a model to a video twice the size."""
    ui.open_workflow(read_workflow(PACK / "subgraphs" / "Seedance to upscaled video.json"))
    ui.page.evaluate(CONNECT)
    template = read_workflow(PACK / "example_workflows" / "Seedance - Upscale 2x.json")
    assert chain(ui.as_api(), "SaveVideo") == chain(to_api_graph(template, object_info), "SaveVideo")


def test_the_app_opens_as_a_form(ui: Ui, object_info: dict[str, Any]) -> None:
    """The last one: what the others look for is not in an app."""
    (file,) = (file for file in FILES if file.stem == APP)
    ui.open_template(APP)
    # Newer UIs offer a tour, sooner or later.
    ui.page.add_locator_handler(ui.dialog.first, lambda _: ui.page.keyboard.press("Escape"))
    expect(ui.page.get_by_role("button", name="Run", exact=True).first).to_be_visible()
    texts = ui.page.locator("textarea:visible")
    expect(texts).to_have_count(1)
    expect(texts).to_have_value(re.compile("^A small round robot"))
    is_whole(ui, object_info, file)


def is_whole(ui: Ui, object_info: dict[str, Any], file: Path) -> None:
    workflow = read_workflow(file)
    assert sorted(ui.node_types()) == sorted(node["type"] for node in workflow["nodes"])
    assert ui.unknown_nodes() == []
    expect(ui.complaints()).to_have_count(0)
    expected = to_api_graph(workflow, object_info)
    assert as_in(expected, ui.as_api()) == expected


def chain(graph: ApiGraph, node_type: str) -> dict[str, Any]:
    """A node of this pack with what it takes from others, and they from theirs; of other nodes, just their types."""
    (node,) = (node for node in graph.values() if node["class_type"] == node_type)
    links = {name: value for name, value in node["inputs"].items() if isinstance(value, list)}
    linked = {name: [chain(graph, graph[of]["class_type"]), slot] for name, (of, slot) in links.items()}
    own = node["inputs"] if node_type in ("SeedanceTextToVideo", "SeedanceUpscaleVideo") else {}
    return {"type": node_type} | own | linked


def as_in(file: ApiGraph, graph: ApiGraph) -> ApiGraph:
    """The graph with the widgets of the file: others are the UI's own, such as a player, or younger. Where the file
    leaves the video to the user, older UIs choose the first one."""
    found = {}
    for node_id, node in graph.items():
        saved = file[node_id]["inputs"]
        inputs = {name: value for name, value in node["inputs"].items() if name in saved}
        found[node_id] = node | {"inputs": inputs | ({"video": ""} if saved.get("video") == "" else {})}
    return found
