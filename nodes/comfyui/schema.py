"""What the nodes' schemas have in common, and the check of types that has to come before ComfyUI's own."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any, Final

from comfy_api.latest import io

from ..texts import NODES

SeedanceOptionsSocket: Final = io.Custom("SEEDANCE_OPTIONS")

PAID_NODE: Final = "SeedanceTextToVideo"
CONVERTED: Final[dict[str, type]] = {"text": str, "reuse": bool}
"""Inputs of the paid node that ComfyUI would convert, and the types that they must have."""

_log = logging.getLogger("seedance")


def schema(node_id: str, *, search_aliases: list[str], inputs: list[io.Input], outputs: list[io.Output]) -> io.Schema:
    """A node's schema with its texts, and with its search aliases if this ComfyUI has those (from 0.11 on)."""
    texts = NODES[node_id]
    for each in inputs:
        each.tooltip = texts["inputs"][each.id]["tooltip"]
    for number, each in enumerate(outputs):
        text = texts["outputs"][str(number)]
        each.display_name, each.tooltip = text["name"], text["tooltip"]
    fields = {"display_name": texts["display_name"], "description": texts["description"]}
    if "search_aliases" in {field.name for field in dataclasses.fields(io.Schema)}:
        fields["search_aliases"] = search_aliases
    return io.Schema(node_id, category="Seedance", inputs=inputs, outputs=outputs, **fields)


def video_outputs() -> list[io.Output]:
    """Of both nodes that bring a video: images, video, fps, frame_count, request_id and video_path."""
    # Without ids, since `video` is an input of one of them too.
    kinds = (io.Image, io.Video, io.Float, io.Int, io.String, io.String)
    return [kind.Output() for kind in kinds]


def drop_wrong_types(queued: Any) -> Any:
    """Remove from a prompt that is about to be queued every value that is neither a link nor of its input's type.

    ComfyUI converts before it validates: `null` would become the text "None", and any text but an empty one a switch
    that is on. If the input is missing, ComfyUI refuses the prompt and names it.
    """
    graph = queued.get("prompt") if isinstance(queued, dict) else None
    for node_id, node in graph.items() if isinstance(graph, dict) else ():
        inputs: Any = node.get("inputs") if isinstance(node, dict) and node.get("class_type") == PAID_NODE else None
        for name, kind in CONVERTED.items() if isinstance(inputs, dict) else ():
            if name in inputs and not isinstance(inputs[name], (kind, list)):
                _log.warning("Seedance: %s of node %s is %.60r, which it cannot be.", name, node_id, inputs.pop(name))
    return queued
