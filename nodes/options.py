"""The node `SeedanceOptions`: everything about a video but its text."""

from __future__ import annotations

from dataclasses import replace

from comfy_api.latest import io

from .comfyui.node import SeedanceOptionsSocket, schema
from .runcomfy import request
from .runcomfy.errors import InvalidRequest
from .runcomfy.request import Options, check_number
from .texts import Text


class SeedanceOptions(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="SeedanceOptions",
            search_aliases=["bytedance", "runcomfy", "resolution", "duration", "aspect ratio"],
            inputs=[
                io.Combo.Input("resolution", options=list(request.RESOLUTIONS), default=Options.resolution),
                io.Combo.Input("ratio", options=list(request.RATIOS), default=Options.ratio),
                io.Int.Input("duration", default=Options.duration, min=request.MIN_DURATION, max=request.MAX_DURATION),
                io.Int.Input("seed", default=Options.seed, min=0, max=request.MAX_SEED, control_after_generate=True),
                io.Int.Input("count", default=1, min=1, max=request.MAX_COUNT, optional=True),
            ],
            outputs=[SeedanceOptionsSocket.Output("options", is_output_list=True)],
        )

    @classmethod
    def execute(cls, resolution: str, ratio: str, duration: int, seed: int, count: int = 1) -> io.NodeOutput:
        # Older versions of ComfyUI check no choices, and none checks what comes through a link.
        options = Options(resolution, ratio, duration, seed)
        check_number("count", count, 1, request.MAX_COUNT)
        if seed + count - 1 > request.MAX_SEED:
            raise InvalidRequest(Text("input.seeds", count=count, seed=seed, highest=request.MAX_SEED))
        return io.NodeOutput([replace(options, seed=seed + number) for number in range(count)])
