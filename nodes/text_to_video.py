"""The node `SeedanceTextToVideo`: from a text to frames and a video."""

from __future__ import annotations

import logging
from typing import Any, Final

from comfy_api.latest import io

from .comfyui.node import SeedanceOptionsSocket, running_node, schema, shared, video_outputs
from .runcomfy.errors import InvalidRequest
from .runcomfy.request import Options, check_choice, check_text
from .texts import Text

NODE_ID: Final = "SeedanceTextToVideo"
MODES: Final = ("live", "rehearsal")
ON_FAILURE: Final = ("stop", "skip")
CONVERTED_INPUTS: Final[dict[str, type]] = {"text": str, "reuse": bool}
"""Inputs that ComfyUI would convert, and the types that they must have."""

_log = logging.getLogger("seedance")


class SeedanceTextToVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id=NODE_ID,
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
        try:
            if text is not None:
                check_text(text)
        except InvalidRequest as error:
            return str(error.message)
        return True

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

        check_choice("mode", mode, MODES)
        check_choice("on_failure", on_failure, ON_FAILURE)
        if not isinstance(reuse, bool):
            raise InvalidRequest(Text("input.reuse", value=f"{reuse!r:.60}"))
        return await generate(text, options, rehearsal=mode == "rehearsal", reuse=reuse, skip=on_failure == "skip")


def drop_wrong_types(queued: Any) -> Any:
    """Remove from a prompt that is about to be queued every value that is neither a link nor of its input's type.

    ComfyUI converts before it validates: `null` would become the text "None", and any text but an empty one a switch
    that is on. If the input is missing, ComfyUI refuses the prompt and names it.
    """
    graph = queued.get("prompt") if isinstance(queued, dict) else None
    for node_id, node in graph.items() if isinstance(graph, dict) else ():
        inputs: Any = node.get("inputs") if isinstance(node, dict) and node.get("class_type") == NODE_ID else None
        for name, kind in CONVERTED_INPUTS.items() if isinstance(inputs, dict) else ():
            if name in inputs and not isinstance(inputs[name], (kind, list)):
                _log.warning("Seedance: %s of node %s is %.60r, which it cannot be.", name, node_id, inputs.pop(name))
    return queued
