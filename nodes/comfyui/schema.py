"""What the nodes' schemas have in common, and the check of types that has to come before ComfyUI's own."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any, Final

from comfy_api.latest import io

SeedanceOptionsSocket: Final = io.Custom("SEEDANCE_OPTIONS")

PAID_NODE: Final = "SeedanceTextToVideo"
CONVERTED: Final[dict[str, type]] = {"text": str, "reuse": bool}
"""The inputs of the node that spends money that ComfyUI converts, and what has to be on them."""

_log = logging.getLogger("seedance")


def schema(*, search_aliases: list[str], **fields: object) -> io.Schema:
    """A node's schema, with the words by which it is also found where this ComfyUI knows such (0.11 does)."""
    if "search_aliases" in {field.name for field in dataclasses.fields(io.Schema)}:
        fields["search_aliases"] = search_aliases
    return io.Schema(category="Seedance", **fields)


def video_outputs(
    *,
    images: str = "All frames, for upscalers and every other image node.",
    video: str = "The file as it came, for Save Video.",
    request_id: str = "RunComfy's id of the job.",
) -> list[io.Output]:
    """What both nodes that bring a video hand out; without ids, since `video` is an input of one of them too.

    The three tooltips that differ are those for a video that has just been made, unless others are given.
    """
    return [
        io.Image.Output(display_name="images", tooltip=images),
        io.Video.Output(display_name="video", tooltip=video),
        io.Float.Output(display_name="fps", tooltip="Frames per second, for Create Video."),
        io.Int.Output(display_name="frame_count", tooltip="Number of frames in images."),
        io.String.Output(display_name="request_id", tooltip=request_id),
        io.String.Output(display_name="video_path", tooltip="Where the MP4 is on this machine."),
    ]


def drop_wrong_types(queued: Any) -> Any:
    """Take out of a prompt that is about to be queued what is neither a link nor of its input's type.

    ComfyUI converts before it validates: `null` would become a video of "None", and any text but an empty one a
    switch that is on. An input that is missing it refuses, by its name.
    """
    graph = queued.get("prompt") if isinstance(queued, dict) else None
    for node_id, node in graph.items() if isinstance(graph, dict) else ():
        inputs: Any = node.get("inputs") if isinstance(node, dict) and node.get("class_type") == PAID_NODE else None
        for name, kind in CONVERTED.items() if isinstance(inputs, dict) else ():
            if name in inputs and not isinstance(inputs[name], (kind, list)):
                _log.warning("Seedance: %s of node %s is %.60r, which it cannot be.", name, node_id, inputs.pop(name))
    return queued
