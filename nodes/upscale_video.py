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

VIDEO: Final = "A video, whole or trimmed. Its sound and the times of its frames are kept."
MODEL: Final = "From Load Upscale Model."
SCALE: Final = "Width and height of the result as a multiple of the video's. 0: the model's own factor."
AT_ONCE: Final = "Frames in memory at a time; the result is the same. 0: chosen by the memory that is left."
QUALITY: Final = "Quality of the H.264 file: lower is better and larger. 0: without loss."


class SeedanceUpscaleVideo(io.ComfyNode):
    """Upscales a video a few frames at a time."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="SeedanceUpscaleVideo",
            display_name="Upscale Seedance Video",
            search_aliases=["video upscale", "super resolution", "enlarge video", "esrgan", "upscale video with model"],
            description=(
                "Enlarges a video of any length with an upscale model, a few frames at a time, so that memory stays "
                "small. The MP4 goes into output/seedance and is found again."
            ),
            inputs=[
                io.Video.Input("video", tooltip=VIDEO),
                io.UpscaleModel.Input("upscale_model", tooltip=MODEL),
                io.Float.Input(
                    "scale_by", optional=True, default=0.0, min=0.0, max=MAX_SCALE, step=0.25, tooltip=SCALE
                ),
                io.Int.Input("frames_at_once", optional=True, default=0, min=0, max=MAX_FRAMES, tooltip=AT_ONCE),
                io.Int.Input("crf", optional=True, default=CRF, min=0, max=MAX_CRF, tooltip=QUALITY),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The upscaled video, for Save Video."),
                io.String.Output(display_name="video_path", tooltip="Where the MP4 is on this machine."),
                io.Int.Output(display_name="frame_count", tooltip="Number of frames in the video."),
            ],
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
    """Why ``value`` is no `scale_by`, as a sentence for the user; None if it is one."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_SCALE:
        return None
    return Text("errors.upscale.scale.message", value=f"{value!r:.60}", most=f"{MAX_SCALE:g}")
