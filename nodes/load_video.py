"""The node `LoadSeedanceVideo`: frames of a video that exists already."""

from __future__ import annotations

from comfy_api.latest import io

from . import host
from .runcomfy.request import is_request_id
from .sockets import frames_used, schema, video_outputs

NO_FILE = "(none)"
"""Stands in the list where there is no video yet, since an empty list cannot be chosen from."""


class LoadSeedanceVideo(io.ComfyNode):
    """Loads frames from a file, an earlier job or a link."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="LoadSeedanceVideo",
            display_name="Load Seedance Video",
            search_aliases=["bytedance", "runcomfy", "load video", "video to images", "extract frames"],
            description="Loads a finished video: from a file, from an earlier Seedance job, or from a link.",
            inputs=[
                io.Combo.Input(
                    "video",
                    options=host.video_choices() or [NO_FILE],
                    upload=io.UploadType.video,
                    tooltip="A video from output/seedance or from the input folder. Not used when source is filled in.",
                ),
                io.String.Input(
                    "source",
                    optional=True,
                    default="",
                    tooltip=(
                        "Instead of a file: the request id of a Seedance job, which is fetched again for free, or an "
                        "https link to an MP4."
                    ),
                ),
                io.Int.Input(
                    "skip_first_frames",
                    optional=True,
                    default=0,
                    min=0,
                    max=100_000,
                    tooltip="So many frames are left out at first.",
                ),
                io.Int.Input(
                    "frame_load_cap",
                    optional=True,
                    default=0,
                    min=0,
                    max=100_000,
                    tooltip="At most so many frames; 0 loads all.",
                ),
                io.Int.Input(
                    "select_every_nth",
                    optional=True,
                    default=1,
                    min=1,
                    max=1000,
                    tooltip="2 loads every second frame, and so on.",
                ),
            ],
            outputs=video_outputs(),
        )

    @classmethod
    def validate_inputs(cls, video: str | None = None, source: str | None = "") -> bool | str:
        if video is None or source is None:
            return True
        return problem_with_source(source.strip()) or True if source.strip() else problem_with_file(video) or True

    @classmethod
    def fingerprint_inputs(cls, video: str | None = None, source: str | None = None, **_: object) -> str:
        file = host.find_video(video) if video and not (source or "").strip() else None
        found = file.stat() if file else None
        changed = f"{found.st_mtime_ns} {found.st_size}" if found else source or ""
        return f"{changed} {frames_used()}"

    @classmethod
    async def execute(
        cls,
        video: str,
        source: str = "",
        skip_first_frames: int = 0,
        frame_load_cap: int = 0,
        select_every_nth: int = 1,
    ) -> io.NodeOutput:
        from .delivery import load
        from .video.decode import Selection

        source = source.strip()
        problem = problem_with_source(source) if source else problem_with_file(video)
        if problem:
            raise ValueError(problem)
        selection = Selection(skip_first_frames, frame_load_cap, select_every_nth)
        return await load(None if source else host.find_video(video), source, selection)


def problem_with_source(source: str) -> str | None:
    """Why ``source`` is neither a request id nor a link, as a sentence for the user; None if it is one."""
    if is_request_id(source) or source.lower().startswith("https://"):
        return None
    return "source must be the request id of a Seedance job, or a link that begins with https://. Nothing was loaded."


def problem_with_file(video: str) -> str | None:
    """Why ``video`` cannot be loaded, as a sentence for the user; None if it can."""
    if video in ("", NO_FILE):
        return "No video is chosen. Choose or upload one, or fill in source."
    if host.find_video(video) is None:
        return f"There is no such video in ComfyUI's folders: {video!r:.150}. Choose or upload one."
    return None
