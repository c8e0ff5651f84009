"""The node `SeedanceTextToVideo`: from a text to frames and a video."""

from __future__ import annotations

from typing import Final

from comfy_api.latest import io

from .comfyui.runtime import running_node, shared
from .comfyui.schema import SeedanceOptionsSocket, schema, video_outputs
from .runcomfy.errors import InvalidRequest
from .runcomfy.request import Options, validate_choice, validate_text
from .texts import Text

MODES: Final = ("live", "rehearsal")
ON_FAILURE: Final = ("stop", "skip")


class SeedanceTextToVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="SeedanceTextToVideo",
            search_aliases=["bytedance", "runcomfy", "t2v", "text2video", "generate video"],
            inputs=[
                io.String.Input("text", multiline=True),
                io.Combo.Input("mode", options=list(MODES), default="live"),
                io.Boolean.Input("reuse", default=True),
                SeedanceOptionsSocket.Input("options", optional=True),
                io.Combo.Input("on_failure", options=list(ON_FAILURE), default="stop", optional=True),
            ],
            outputs=video_outputs(),
        )

    @classmethod
    def validate_inputs(cls, text: str | None = None) -> bool | str:
        # Only `text`: ComfyUI blames every input that is named here. None: it comes through a link.
        return (text is not None and validate_text(text)) or True

    @classmethod
    def fingerprint_inputs(cls, reuse: bool | None = True, **_: object) -> str | float:
        # NaN is not equal to itself, so ComfyUI's cache never stands in for a new video. None: it comes through a link,
        # and its value is known only when the node runs.
        if reuse is not True:
            return float("nan")
        # With the number of items left out so far: else ComfyUI would cache them, and the next run would not retry.
        node = running_node()
        return f"{node.is_images_connected} {shared().skipped[node.node_id]}"

    @classmethod
    async def execute(
        cls, text: str, mode: str, reuse: object, options: Options | None = None, on_failure: str = "stop"
    ) -> io.NodeOutput:
        from .comfyui.execute import generate

        if problem := validate_choice("mode", mode, MODES) or validate_choice("on_failure", on_failure, ON_FAILURE):
            raise InvalidRequest(problem)
        if not isinstance(reuse, bool):
            raise InvalidRequest(Text("input.reuse", value=f"{reuse!r:.60}"))
        return await generate(text, options, rehearsal=mode == "rehearsal", reuse=reuse, skip=on_failure == "skip")
