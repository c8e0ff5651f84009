"""What the nodes' schemas have in common."""

from __future__ import annotations

import dataclasses
from typing import Final

from comfy_api.latest import io

SeedanceOptionsSocket: Final = io.Custom("SEEDANCE_OPTIONS")


def schema(*, search_aliases: list[str], **fields: object) -> io.Schema:
    """A node's schema, with the words by which it is also found where this ComfyUI knows such (0.11 does)."""
    if "search_aliases" in {field.name for field in dataclasses.fields(io.Schema)}:
        fields["search_aliases"] = search_aliases
    return io.Schema(category="Seedance", **fields)


def video_outputs(
    *,
    images: str = "All frames, for upscalers and every other image node.",
    video: str = "The file as it came, for Save Video.",
    fps: str = "Frames per second, for Create Video.",
    request_id: str = "RunComfy's id of the job.",
) -> list[io.Output]:
    """What both nodes that bring a video hand out; without ids, since `video` is an input of one of them too.

    The tooltips that differ are those for a video that has just been made, unless others are given.
    """
    return [
        io.Image.Output(display_name="images", tooltip=images),
        io.Video.Output(display_name="video", tooltip=video),
        io.Float.Output(display_name="fps", tooltip=fps),
        io.Int.Output(display_name="frame_count", tooltip="Number of frames in images."),
        io.String.Output(display_name="request_id", tooltip=request_id),
        io.String.Output(display_name="video_path", tooltip="Where the MP4 is on this machine."),
    ]
