"""The node `SeedanceOptions`: everything about a video but its text."""

from __future__ import annotations

from comfy_api.latest import io

from .comfyui.schema import SeedanceOptionsSocket, schema
from .runcomfy.errors import InvalidRequest
from .runcomfy.request import (
    MAX_COUNT,
    MAX_DURATION,
    MAX_SEED,
    MIN_DURATION,
    RATIOS,
    RESOLUTIONS,
    Options,
    validate_number,
)
from .texts import Text


class SeedanceOptions(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="SeedanceOptions",
            search_aliases=["bytedance", "runcomfy", "resolution", "duration", "aspect ratio"],
            inputs=[
                io.Combo.Input("resolution", options=list(RESOLUTIONS), default=Options.resolution),
                io.Combo.Input("ratio", options=list(RATIOS), default=Options.ratio),
                io.Int.Input("duration", default=Options.duration, min=MIN_DURATION, max=MAX_DURATION),
                io.Int.Input("seed", default=Options.seed, min=0, max=MAX_SEED, control_after_generate=True),
                io.Int.Input("count", default=1, min=1, max=MAX_COUNT, optional=True),
            ],
            outputs=[SeedanceOptionsSocket.Output("options", is_output_list=True)],
        )

    @classmethod
    def execute(cls, resolution: str, ratio: str, duration: int, seed: int, count: int = 1) -> io.NodeOutput:
        # Older versions of ComfyUI check no choices, and none checks what comes through a link.
        problem = Options(resolution, ratio, duration, seed).problem() or validate_number("count", count, 1, MAX_COUNT)
        if not problem and seed + count - 1 > MAX_SEED:
            problem = Text("input.seeds", count=count, seed=seed, highest=MAX_SEED)
        if problem:
            raise InvalidRequest(problem)
        return io.NodeOutput([Options(resolution, ratio, duration, seed + number) for number in range(count)])
