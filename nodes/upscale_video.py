"""The node `SeedanceUpscaleVideo`: a video of any length through an upscale model, in little memory."""

from __future__ import annotations

from typing import Any, Final

from comfy_api.latest import io

from .comfyui.node import schema
from .runcomfy.errors import InvalidRequest
from .runcomfy.request import check_number
from .texts import Text

MAX_SCALE: Final = 8.0
MAX_FRAMES_AT_ONCE: Final = 64
MAX_CRF: Final = 51
DEFAULT_CRF: Final = 18


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
                io.Int.Input("frames_at_once", optional=True, default=0, min=0, max=MAX_FRAMES_AT_ONCE),
                io.Int.Input("crf", optional=True, default=DEFAULT_CRF, min=0, max=MAX_CRF),
            ],
            outputs=[io.Video.Output(), io.String.Output(), io.Int.Output()],
        )

    @classmethod
    async def execute(
        cls, video: Any, upscale_model: Any, scale_by: float = 0.0, frames_at_once: int = 0, crf: int = DEFAULT_CRF
    ) -> io.NodeOutput:
        from .comfyui.upscale import upscale

        # ComfyUI checks the numbers that are typed in, but not those that come through a link.
        check_scale(scale_by)
        check_number("frames_at_once", frames_at_once, 0, MAX_FRAMES_AT_ONCE)
        check_number("crf", crf, 0, MAX_CRF)
        return await upscale(video, upscale_model, float(scale_by), frames_at_once, crf)


def check_scale(value: object) -> None:
    """Raises `InvalidRequest` for what cannot be `scale_by`."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MAX_SCALE:
        raise InvalidRequest(Text("errors.upscale.scale.message", value=f"{value!r:.60}", most=f"{MAX_SCALE:g}"))
