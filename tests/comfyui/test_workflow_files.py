"""The files of the example workflows: they open whole, explain themselves, look tidy, and cost nothing."""

from __future__ import annotations

from itertools import combinations
from urllib.parse import quote

import cv2
import numpy as np
import requests

from tests.comfyui.conftest import PACK
from tests.comfyui.graphs import NOTES, Workflow, read_workflow
from tests.comfyui.saved_nodes import check_is_free, check_origin, check_sockets, real_nodes
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client

FOLDER = PACK / "example_workflows"
FILES = sorted(FOLDER.glob("*.json"))
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
TITLE_HEIGHT = 30  # the UI draws a node's title above its position
GAP = 20
PICTURE = (512, 512)
PICTURE_BYTES = 60_000


def test_these_are_they_each_with_a_picture() -> None:
    assert [file.stem for file in FILES] == NAMES
    assert [file.stem for file in sorted(FOLDER.glob("*.jpg"))] == NAMES
    assert all(name.isascii() for name in NAMES)


def test_file_and_picture_are_offered_to_the_template_browser(server: ComfyUI) -> None:
    """Under the address that the browser makes of a name with spaces and brackets."""
    listed = get(server, "workflow_templates").json()["seedance"]
    for file in FILES:
        assert file.stem in listed
        address = f"api/workflow_templates/seedance/{quote(file.stem, safe='()')}"
        assert get(server, f"{address}.json").json() == read_workflow(file)
        shown = get(server, f"{address}.jpg")
        assert shown.headers["Content-Type"] == "image/jpeg", file
        assert len(shown.content) < PICTURE_BYTES, file
        decoded = cv2.imdecode(np.frombuffer(shown.content, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None, file
        assert decoded.shape[:2] == PICTURE, file


def test_file_is_what_the_ui_writes() -> None:
    for file in FILES:
        workflow = read_workflow(file)
        assert workflow["version"] == 0.4
        nodes = {node["id"]: node for node in workflow["nodes"]}
        assert len(nodes) == len(workflow["nodes"]), file
        assert workflow["last_node_id"] == max(nodes), file
        assert workflow["last_link_id"] == max(link[0] for link in workflow["links"]), file
        assert sorted(node["order"] for node in workflow["nodes"]) == list(range(len(nodes))), file
        for link, origin, origin_slot, target, target_slot, kind in workflow["links"]:
            output, given = nodes[origin]["outputs"][origin_slot], nodes[target]["inputs"][target_slot]
            assert link in output["links"], f"{file}: {link}"
            assert given["link"] == link, f"{file}: {link}"
            assert output["type"] == given["type"] == kind, f"{file}: {link}"
            assert nodes[origin]["order"] < nodes[target]["order"], f"{file}: {link}"
        outputs = [output for node in workflow["nodes"] for output in node.get("outputs", [])]
        listed = [link for output in outputs for link in output["links"] or []]
        assert sorted(listed) == sorted(link[0] for link in workflow["links"]), file


def test_nodes_fit_and_cost_nothing(client: Client) -> None:
    object_info = client.object_info()
    for file in FILES:
        for node in real_nodes(read_workflow(file)["nodes"]):
            check_origin(node)
            check_sockets(node, object_info)
            check_is_free(node)


def test_file_explains_itself() -> None:
    for file in FILES:
        notes = [node for node in read_workflow(file)["nodes"] if node["type"] in NOTES]
        assert notes, file
        for note in notes:
            (text,) = note["widgets_values"]
            assert 100 < len(text) < 700, file
            assert "`" not in text, f"{file}: in the UI's newer look, code on a note's ground cannot be read"


def test_it_can_be_read_when_it_opens() -> None:
    """The UI fits a template into three quarters of its window, and the classic canvas hides text below a zoom of
    about 0.6."""
    for file in FILES:
        nodes = read_workflow(file)["nodes"]
        for axis, window in ((0, 1440), (1, 810)):
            extent = max(node["pos"][axis] + node["size"][axis] for node in nodes)
            assert 0.75 * window / (extent + TITLE_HEIGHT) > 0.7, file
        assert all(node["size"][1] <= 400 for node in nodes if node["type"] == "SeedanceTextToVideo"), file


def test_what_an_app_shows_is_there(client: Client) -> None:
    apps = {file: read_workflow(file) for file in FILES if read_workflow(file)["extra"].get("linearMode")}
    assert [file.stem for file in apps] == ["Seedance - Text to video (app)"]
    object_info = client.object_info()
    for file, workflow in apps.items():
        types = {node["id"]: object_info[node["type"]] for node in real_nodes(workflow["nodes"])}
        shown = workflow["extra"]["linearData"]
        for node, widget, *_ in shown["inputs"]:
            assert widget in types[node]["input"]["required"], f"{file}: {widget}"
        assert all(types[node]["output_node"] for node in shown["outputs"]), file


def test_nodes_do_not_overlap_and_links_go_right() -> None:
    for file in FILES:
        workflow = read_workflow(file)
        for one, other in combinations(workflow["nodes"], 2):
            assert apart(one, other), f"{file}: {one['type']} and {other['type']} overlap"
        nodes = {node["id"]: node for node in workflow["nodes"]}
        for _, origin, _, target, _, _ in workflow["links"]:
            is_right = nodes[origin]["pos"][0] + nodes[origin]["size"][0] + GAP <= nodes[target]["pos"][0]
            assert is_right or nodes[origin]["pos"][1] < nodes[target]["pos"][1], file
        assert all(type(value) is int for node in workflow["nodes"] for value in node["pos"] + node["size"]), file


def apart(one: Workflow, other: Workflow) -> bool:
    """Whether two nodes, their titles included, have a gap between them."""
    return any(
        first["pos"][axis] + first["size"][axis] + GAP + TITLE_HEIGHT * axis <= second["pos"][axis]
        for axis in (0, 1)
        for first, second in ((one, other), (other, one))
    )


def get(server: ComfyUI, path: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{server.url}/{path}", timeout=30)
    answer.raise_for_status()
    return answer
