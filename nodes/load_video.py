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
    def validate_inputs(cls, video: object = None, source: object = "") -> bool | str:
        # None: the value comes through a link and is checked when it is there.
        return video is None or source is None or problem_with_choice(video, source) or True

    @classmethod
    def fingerprint_inputs(cls, video: object = None, source: str | None = None, **_: object) -> str:
        file = None if (source or "").strip() else host.find_video(video)
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

        problem = problem_with_choice(video, source) or problem_with_frames(
            skip_first_frames, frame_load_cap, select_every_nth
        )
        if problem:
            raise ValueError(problem)
        source = source.strip()
        selection = Selection(skip_first_frames, frame_load_cap, select_every_nth)
        return await load(None if source else host.find_video(video), source, selection)


def problem_with_choice(video: object, source: object) -> str | None:
    """Why neither input says what to load, as a sentence for the user; None if one does. Both may be anything."""
    if not isinstance(source, str):
        return "source must be a text. Nothing was loaded."
    if source.strip():
        return _problem_with_source(source.strip())
    if video in ("", NO_FILE):
        return "No video is chosen. Choose or upload one, or fill in source."
    if host.find_video(video) is None:
        return f"There is no such video in ComfyUI's folders: {video!r:.150}. Choose or upload one."
    return None


def problem_with_frames(skip: object, cap: object, every: object) -> str | None:
    """Why the frame controls make no sense, as a sentence for the user; None if they do.

    ComfyUI checks what is typed in, but not what comes through a link.
    """
    for name, value, lowest in (
        ("skip_first_frames", skip, 0),
        ("frame_load_cap", cap, 0),
        ("select_every_nth", every, 1),
    ):
        if not isinstance(value, int) or value < lowest:
            return f"{name} is {value!r:.60}; it must be a whole number from {lowest} on."
    return None


def _problem_with_source(source: str) -> str | None:
    if is_request_id(source) or source.lower().startswith("https://"):
        return None
    return "source must be the request id of a Seedance job, or a link that begins with https://. Nothing was loaded."
