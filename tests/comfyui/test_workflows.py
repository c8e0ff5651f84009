"""The example workflows: the very files that users open, run as the UI would run them."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import av
import pytest

from tests.comfyui.conftest import PACK, Books
from tests.comfyui.contract import NODES
from tests.comfyui.graphs import NOTES, ApiGraph, Workflow, read_workflow, to_api_graph
from tests.comfyui.seedance_graphs import DURATION, FRAMES, HEIGHT, UPSCALER, WIDTH
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Run, Status

FOLDER = PACK / "example_workflows"
FILES = sorted(FOLDER.glob("*.json"))
TITLE_HEIGHT = 30  # the UI draws a node's title above its position
GAP = 20


def test_there_are_three() -> None:
    assert [file.name for file in FILES] == [
        "load-and-upscale.json",
        "text-to-video-upscaled-2x.json",
        "text-to-video.json",
    ]


def test_text_to_video_saves_a_video(client_without_token: Client, server_without_token: ComfyUI, books: Books) -> None:
    graph = shortened(api_graph("text-to-video.json", client_without_token))
    run = succeeded(client_without_token.run(graph))
    assert saved_facts(run, graph, server_without_token) == (FRAMES, WIDTH, HEIGHT)
    assert books.calls == {}, "the examples cost nothing and need no token"


def test_text_to_video_upscaled_2x_saves_twice_the_size(
    client_without_token: Client, server_without_token: ComfyUI, books: Books
) -> None:
    graph = shortened(api_graph("text-to-video-upscaled-2x.json", client_without_token))
    run = succeeded(client_without_token.run(graph))
    assert saved_facts(run, graph, server_without_token) == (FRAMES, 2 * WIDTH, 2 * HEIGHT)
    assert books.calls == {}


def test_load_and_upscale_saves_twice_the_size_of_the_chosen_file(
    client_without_token: Client, server_without_token: ComfyUI, books: Books
) -> None:
    """The user picks a video first: here, one that the first workflow made."""
    client = client_without_token
    succeeded(client.run(shortened(api_graph("text-to-video.json", client))))
    graph = api_graph("load-and-upscale.json", client)
    (load,) = of_type(graph, "LoadSeedanceVideo")
    offered = client.object_info()["LoadSeedanceVideo"]["input"]["required"]["video"][1]["options"]
    graph[load]["inputs"]["video"] = next(each for each in offered if each.endswith((".mp4", "[output]")))
    run = succeeded(client.run(graph))
    assert saved_facts(run, graph, server_without_token) == (FRAMES, 2 * WIDTH, 2 * HEIGHT)
    assert books.calls == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_file_is_what_the_ui_writes(file: Path) -> None:
    workflow = read_workflow(file)
    assert workflow["version"] == 0.4
    ids = [node["id"] for node in workflow["nodes"]]
    assert len(set(ids)) == len(ids)
    assert workflow["last_node_id"] == max(ids)
    assert workflow["last_link_id"] == max(link[0] for link in workflow["links"])
    assert sorted(node["order"] for node in workflow["nodes"]) == list(range(len(ids)))
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for link, origin, origin_slot, target, target_slot, kind in workflow["links"]:
        output, given = nodes[origin]["outputs"][origin_slot], nodes[target]["inputs"][target_slot]
        assert link in output["links"]
        assert given["link"] == link
        assert output["type"] == given["type"] == kind
        assert nodes[origin]["order"] < nodes[target]["order"]
    listed = [
        link for node in workflow["nodes"] for output in node.get("outputs", []) for link in output["links"] or []
    ]
    assert sorted(listed) == sorted(link[0] for link in workflow["links"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_file_names_its_packs_and_models(file: Path) -> None:
    """By these the UI finds what a newcomer lacks."""
    for node in real_nodes(read_workflow(file)):
        properties = node["properties"]
        assert properties["Node name for S&R"] == node["type"]
        assert properties["cnr_id"] == ("seedance" if node["type"] in NODES else "comfy-core")
        assert properties["ver"]
        if node["type"] == "UpscaleModelLoader":
            (model,) = properties["models"]
            assert model["name"] == UPSCALER == node["widgets_values"][0]
            assert model["url"].startswith("https://huggingface.co/")
            assert model["url"].endswith(f"/{UPSCALER}")
            assert model["directory"] == "upscale_models"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_sockets_are_those_of_the_nodes(file: Path, client: Client) -> None:
    object_info = client.object_info()
    for node in real_nodes(read_workflow(file)):
        info = object_info[node["type"]]
        assert [each["type"] for each in node["outputs"]] == info["output"][: len(node["outputs"])]
        if node["type"] in NODES:
            assert [each["name"] for each in node["outputs"]] == info["output_name"]
            declared = {name for group in info["input"].values() for name in group}
            assert {each["name"] for each in node["inputs"]} - {"upload"} == declared


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_file_costs_nothing_as_it_is(file: Path, client: Client) -> None:
    graph = api_graph(file.name, client)
    for node_id in of_type(graph, "SeedanceTextToVideo"):
        assert graph[node_id]["inputs"]["mode"] == "rehearsal"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_file_explains_itself(file: Path) -> None:
    (note,) = [node for node in read_workflow(file)["nodes"] if node["type"] in NOTES]
    (text,) = note["widgets_values"]
    assert 100 < len(text) < 700


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nodes_do_not_overlap_and_links_go_right(file: Path) -> None:
    workflow = read_workflow(file)
    for one, other in combinations(workflow["nodes"], 2):
        assert apart(one, other), f"{one['type']} and {other['type']} overlap"
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for _, origin, _, target, _, _ in workflow["links"]:
        is_right = nodes[origin]["pos"][0] + nodes[origin]["size"][0] + GAP <= nodes[target]["pos"][0]
        is_below = nodes[origin]["pos"][1] < nodes[target]["pos"][1]
        assert is_right or is_below
    assert all(type(value) is int for node in workflow["nodes"] for value in node["pos"] + node["size"])


def apart(one: Workflow, other: Workflow) -> bool:
    """Whether two nodes, their titles included, have a gap between them."""
    return any(
        first["pos"][axis] + first["size"][axis] + GAP + TITLE_HEIGHT * axis <= second["pos"][axis]
        for axis in (0, 1)
        for first, second in ((one, other), (other, one))
    )


def api_graph(name: str, client: Client) -> ApiGraph:
    return to_api_graph(read_workflow(FOLDER / name), client.object_info())


def shortened(graph: ApiGraph) -> ApiGraph:
    """The same graph with a video of two seconds, which is all that the tests change."""
    (options,) = of_type(graph, "SeedanceOptions")
    graph[options]["inputs"]["duration"] = DURATION
    return graph


def of_type(graph: ApiGraph, class_type: str) -> list[str]:
    return [node_id for node_id, node in graph.items() if node["class_type"] == class_type]


def real_nodes(workflow: Workflow) -> list[dict[str, Any]]:
    return [node for node in workflow["nodes"] if node["type"] not in NOTES]


def succeeded(run: Run) -> Run:
    assert run.status is Status.SUCCESS, run.error
    return run


def saved_facts(run: Run, graph: ApiGraph, server: ComfyUI) -> tuple[int, int, int]:
    """Frames, width and height of the one file that the graph saved."""
    (save,) = of_type(graph, "SaveVideo")
    (saved,) = run.outputs[save]["images"]
    with av.open(str(server.base / saved["type"] / saved["subfolder"] / saved["filename"])) as container:
        frames = list(container.decode(video=0))
        return len(frames), frames[0].width, frames[0].height
