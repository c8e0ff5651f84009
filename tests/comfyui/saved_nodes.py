"""What every node in a file of the UI's own has to hold, so that the file opens whole wherever it is opened."""

from __future__ import annotations

from typing import Any

from tests.comfyui.contract import NODES
from tests.comfyui.graphs import NOTES, Workflow
from tools.upscale_model import UPSCALER


def real_nodes(nodes: list[Workflow]) -> list[Workflow]:
    """The nodes without the notes, which only the UI knows."""
    return [node for node in nodes if node["type"] not in NOTES]


def check_origin(node: Workflow) -> None:
    """By this the UI finds the packs and models that a newcomer lacks."""
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


def check_sockets(node: Workflow, object_info: dict[str, Any]) -> None:
    """They are those of the node in this ComfyUI; a newer core may have added some to its own nodes."""
    info = object_info[node["type"]]
    assert [each["type"] for each in node["outputs"]] == info["output"][: len(node["outputs"])]
    if node["type"] in NODES:
        assert [each["name"] for each in node["outputs"]] == info["output_name"]
        declared = {name for group in info["input"].values() for name in group}
        assert {each["name"] for each in node["inputs"]} - {"upload"} == declared


def check_is_free(node: Workflow) -> None:
    """It spends no money as it is."""
    if node["type"] == "SeedanceTextToVideo":
        assert "rehearsal" in node["widgets_values"]
        assert "live" not in node["widgets_values"]
