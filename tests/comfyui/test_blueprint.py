"""The subgraph blueprint that the node library offers: whole, and served by ComfyUI. tests/browser runs it."""

from __future__ import annotations

import json

import pytest
import requests

from tests.comfyui.conftest import PACK
from tests.comfyui.graphs import Workflow, read_workflow
from tests.comfyui.saved_nodes import check_is_free, check_origin, check_sockets
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client

FILE = PACK / "subgraphs" / "Seedance to upscaled video.json"
WIDGETS = ["text", "mode"]
INPUTS, OUTPUTS = -10, -20
"""Inside a subgraph, the ids from which its inputs come and to which its outputs go."""


@pytest.fixture
def blueprint() -> Workflow:
    return read_workflow(FILE)


@pytest.fixture
def inside(blueprint: Workflow) -> Workflow:
    """The definition of the one subgraph."""
    (definition,) = blueprint["definitions"]["subgraphs"]
    return dict(definition)


def test_comfyui_serves_it(server: ComfyUI) -> None:
    with requests.Session() as session:
        session.trust_env = False
        listed = session.get(f"{server.url}/global_subgraphs", timeout=30).json()
        ours = {key: each for key, each in listed.items() if each["info"]["node_pack"] == "custom_nodes.seedance"}
        ((key, entry),) = ours.items()
        served = session.get(f"{server.url}/global_subgraphs/{key}", timeout=30).json()
    assert entry["name"] == FILE.stem
    assert json.loads(served["data"]) == read_workflow(FILE)


def test_it_is_one_node_of_its_one_subgraph(blueprint: Workflow, inside: Workflow) -> None:
    """The UI takes nothing else for a blueprint."""
    (node,) = blueprint["nodes"]
    assert node["type"] == inside["id"]
    assert node["title"] == inside["name"] == FILE.stem
    assert blueprint["links"] == []
    assert blueprint["version"] == 0.4
    assert inside["version"] == 1
    assert inside["description"] == blueprint["extra"]["BlueprintDescription"]
    for side in ("inputs", "outputs"):
        shown = [(each["name"], each["type"]) for each in node[side]]
        assert shown == [(each["name"], each["type"]) for each in inside[side]]
    assert [each["name"] for each in node["inputs"] if "widget" in each] == WIDGETS
    # "-1": what an input brings. By the node inside, older UIs draw the text box in the wrong place.
    assert node["properties"]["proxyWidgets"] == [["-1", name] for name in WIDGETS]


def test_both_ends_of_a_link_inside_say_the_same_and_no_end_is_without_its_link(inside: Workflow) -> None:
    nodes = {node["id"]: node for node in inside["nodes"]}
    for link in inside["links"]:
        outer_end = link["origin_id"] == INPUTS, link["target_id"] == OUTPUTS
        source = (inside["inputs"] if outer_end[0] else nodes[link["origin_id"]]["outputs"])[link["origin_slot"]]
        goal = (inside["outputs"] if outer_end[1] else nodes[link["target_id"]]["inputs"])[link["target_slot"]]
        assert link["id"] in source["linkIds" if outer_end[0] else "links"]
        assert link["id"] in goal["linkIds"] if outer_end[1] else goal["link"] == link["id"]
        assert source["type"] == goal["type"] == link["type"]
    ends = [
        *(link for side in ("inputs", "outputs") for each in inside[side] for link in each["linkIds"]),
        *(given["link"] for node in inside["nodes"] for given in node["inputs"] if given["link"]),
        *(link for node in inside["nodes"] for output in node["outputs"] for link in output["links"] or []),
    ]
    links = [link["id"] for link in inside["links"]]
    assert sorted(ends) == sorted(links * 2)
    assert inside["state"]["lastLinkId"] == max(links)
    assert inside["state"]["lastNodeId"] == max(node["id"] for node in inside["nodes"])


def test_nodes_inside_fit_and_cost_nothing(inside: Workflow, client: Client) -> None:
    object_info = client.object_info()
    for node in inside["nodes"]:
        check_origin(node)
        check_sockets(node, object_info)
        check_is_free(node)
