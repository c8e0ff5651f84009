"""The node `SeedanceTextToVideo`: from a text to frames and a video."""

from __future__ import annotations

from typing import Final

from comfy_api.latest import io

from .comfyui.schema import SeedanceOptionsSocket, is_images_connected, schema, skipped_count, video_outputs
from .modes import LIVE, MODES
from .runcomfy.errors import InvalidRequest
from .runcomfy.request import Options, validate_choice, validate_text

STOP: Final = "stop"
SKIP: Final = "skip"
ON_FAILURE: Final = (STOP, SKIP)


class SeedanceTextToVideo(io.ComfyNode):
    """Generates a video with Seedance 1.0 Pro Fast on RunComfy."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="SeedanceTextToVideo",
            display_name="Seedance Text to Video",
            search_aliases=["bytedance", "runcomfy", "t2v", "text2video", "generate video"],
            description=(
                "Generates a video with ByteDance Seedance 1.0 Pro Fast on RunComfy and brings it into the graph, "
                "as frames and as a video. Live runs are paid; rehearsal is free."
            ),
            inputs=[
                io.String.Input(
                    "text",
                    multiline=True,
                    tooltip="What the video shows. Under 500 characters gives better results.",
                ),
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default=LIVE,
                    tooltip=(
                        "live: generates on RunComfy, which is paid. rehearsal: does every step on this machine with a "
                        "test video, free and without a token."
                    ),
                ),
                io.Boolean.Input(
                    "reuse",
                    default=True,
                    tooltip=(
                        "On: a video that was made before from the same text and options is loaded again for free. "
                        "Off: every run buys a new one. An unfinished job is always picked up, never bought twice."
                    ),
                ),
                SeedanceOptionsSocket.Input(
                    "options",
                    optional=True,
                    tooltip="From Seedance Options. Without it: 480p, 16:9, 5 seconds, the default seed.",
                ),
                io.Combo.Input(
                    "on_failure",
                    options=list(ON_FAILURE),
                    default=STOP,
                    optional=True,
                    tooltip=(
                        "When a video cannot be made. stop: the run ends with the reason. skip: only what follows from "
                        "this video is left out, and the others of a list go on."
                    ),
                ),
            ],
            outputs=video_outputs(),
        )

    @classmethod
    def validate_inputs(
        cls, text: str | None = None, mode: str | None = None, on_failure: str | None = None
    ) -> bool | str:
        # None: the value comes through a link and is checked when it is there.
        return (
            (text is not None and validate_text(text))
            or (mode is not None and validate_choice("mode", mode, MODES))
            or (on_failure is not None and validate_choice("on_failure", on_failure, ON_FAILURE))
            or True
        )

    @classmethod
    def fingerprint_inputs(cls, reuse: bool | None = True, **_: object) -> str | float:
        # Not equal to itself, so that ComfyUI's own cache does not stand in for a new video. None: a link, which tells
        # its value only when the node runs.
        return float("nan") if reuse is not True else f"{is_images_connected()} {skipped_count()}"

    @classmethod
    async def execute(
        cls, text: str, mode: str, reuse: bool, options: Options | None = None, on_failure: str = STOP
    ) -> io.NodeOutput:
        from .comfyui.execute import generate

        problem = validate_choice("mode", mode, MODES) or validate_choice("on_failure", on_failure, ON_FAILURE)
        if problem:
            raise InvalidRequest(problem)
        return await generate(text, options, mode=mode, reuse=reuse, skip=on_failure == SKIP)
