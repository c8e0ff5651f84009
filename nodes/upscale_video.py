"""The node `SeedanceUpscaleVideo`: a video of any length through an upscale model, in little memory."""

from __future__ import annotations

from typing import Any, Final

from comfy_api.latest import io

from .comfyui.schema import schema
from .runcomfy.errors import InvalidRequest
from .runcomfy.request import validate_number
from .texts import Text

MAX_SCALE: Final = 8.0
MAX_FRAMES: Final = 64
"""At once."""
MAX_CRF: Final = 51
CRF: Final = 18


class SeedanceUpscaleVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="SeedanceUpscaleVideo",
            search_aliases=["video upscale", "super resolution", "enlarge video", "esrgan", "upscale video with model"],
            inputs=[
                io.Video.Input("video"),
                io.UpscaleModel.Input("upscale_model"),
                io.Float.Input("scale_by", optional=True, default=0.0, min=0.0, max=MAX_SCALE, step=0.25),
                io.Int.Input("frames_at_once", optional=True, default=0, min=0, max=MAX_FRAMES),
                io.Int.Input("crf", optional=True, default=CRF, min=0, max=MAX_CRF),
            ],
            outputs=[io.Video.Output(), io.String.Output(), io.Int.Output()],
        )

    @classmethod
    async def execute(
        cls, video: Any, upscale_model: Any, scale_by: float = 0.0, frames_at_once: int = 0, crf: int = CRF
    ) -> io.NodeOutput:
        from .comfyui.upscale import upscale

        # ComfyUI checks the numbers that are typed in, but not those that come through a link.
        problem = (
            validate_scale(scale_by)
            or validate_number("frames_at_once", frames_at_once, 0, MAX_FRAMES)
            or validate_number("crf", crf, 0, MAX_CRF)
        )
        if problem:
            raise InvalidRequest(problem)
        return await upscale(video, upscale_model, float(scale_by), frames_at_once, crf)


def validate_scale(value: object) -> str | None:
    """Why ``value`` cannot be `scale_by`, as a sentence for the user; None if it can."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_SCALE:
        return None
    return Text("errors.upscale.scale.message", value=f"{value!r:.60}", most=f"{MAX_SCALE:g}")
