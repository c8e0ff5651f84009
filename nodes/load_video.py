"""The node `LoadSeedanceVideo`: frames of a video that exists already."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from comfy_api.latest import io

from .comfyui.node import running_node, schema, video_outputs
from .comfyui.videos import find_video, video_choices
from .runcomfy.errors import InvalidRequest
from .runcomfy.request import check_number, is_request_id
from .texts import Text

NO_FILE: Final = "(none)"
"""Stands in the list where there is no video yet, since an empty list cannot be chosen from."""
MAX_FRAMES: Final = 100_000
"""Of a video; more than an hour at 24 a second."""
MAX_STEP: Final = 1000
"""Frames from one that is loaded to the next."""


class LoadSeedanceVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="LoadSeedanceVideo",
            search_aliases=["bytedance", "runcomfy", "load video", "video to images", "extract frames"],
            inputs=[
                io.Combo.Input("video", options=video_choices() or [NO_FILE], upload=io.UploadType.video),
                io.String.Input("source", optional=True, default=""),
                io.Int.Input("skip_first_frames", optional=True, default=0, min=0, max=MAX_FRAMES),
                io.Int.Input("frame_load_cap", optional=True, default=0, min=0, max=MAX_FRAMES),
                io.Int.Input("select_every_nth", optional=True, default=1, min=1, max=MAX_STEP),
            ],
            outputs=video_outputs(),
        )

    @classmethod
    def validate_inputs(cls, video: object = None) -> bool:  # noqa: ARG003 - see below
        # Naming `video` here keeps ComfyUI from checking it against its list, which does not matter if source is filled
        # in. Both are checked when the node runs: here, ComfyUI would blame one of them for the other.
        return True

    @classmethod
    def fingerprint_inputs(cls, video: object = None, source: str | None = None, **_: object) -> str:
        file = None if (source or "").strip() else find_video(video)
        found = file.stat() if file else None
        changed = f"{found.st_mtime_ns} {found.st_size}" if found else source or ""
        return f"{changed} {running_node().is_images_connected}"

    @classmethod
    async def execute(
        cls,
        video: object,
        source: object = "",
        skip_first_frames: int = 0,
        frame_load_cap: int = 0,
        select_every_nth: int = 1,
    ) -> io.NodeOutput:
        from .comfyui.execute import load
        from .video.probe import Selection

        # ComfyUI checks the numbers that are typed in, but not those that come through a link.
        check_number("skip_first_frames", skip_first_frames, 0, MAX_FRAMES)
        check_number("frame_load_cap", frame_load_cap, 0, MAX_FRAMES)
        check_number("select_every_nth", select_every_nth, 1, MAX_STEP)
        return await load(file_or_source(video, source), Selection(skip_first_frames, frame_load_cap, select_every_nth))


def file_or_source(video: object, source: object) -> Path | str:
    """What to load: a file, or the request id or link in its place. Raises `InvalidRequest` if neither is usable."""
    source = source.strip() if isinstance(source, str) else source
    if is_request_id(source) or (isinstance(source, str) and source.lower().startswith("https://")):
        return source
    if source != "":
        raise InvalidRequest(Text("input.source"))
    if video in ("", NO_FILE):
        raise InvalidRequest(Text("input.noVideo"))
    if file := find_video(video):
        return file
    raise InvalidRequest(Text("input.noSuchVideo", video=f"{video!r:.150}"))
