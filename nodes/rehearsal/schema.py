"""What the submit call takes, and the size of the video that it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FPS: Final = 24

RATIOS: Final = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
SIZES: Final[Mapping[tuple[str, str], tuple[int, int]]] = {
    (resolution, ratio): size
    for resolution, sizes in {
        "480p": ((864, 480), (736, 544), (640, 640), (544, 736), (480, 864), (960, 416)),
        "720p": ((1248, 704), (1120, 832), (960, 960), (832, 1120), (704, 1248), (1504, 640)),
        "1080p": ((1920, 1088), (1664, 1248), (1440, 1440), (1248, 1664), (1088, 1920), (2176, 928)),
    }.items()
    for ratio, size in zip(RATIOS, sizes, strict=True)
}
"""(resolution, ratio) to (width, height) in pixels, as published for Seedance 1.0 Pro."""


class VideoRequest(BaseModel):
    """The body of a submit call, with its defaults. Unknown keys are ignored; equal requests give equal videos."""

    model_config = ConfigDict(title="Input", frozen=True, strict=True)

    text: str = Field(title="Prompt", description="Under 500 characters gives better results.")
    resolution: Literal["480p", "720p", "1080p"] = Field(default="480p", title="Resolution")
    ratio: Literal["16:9", "4:3", "1:1", "3:4", "9:16", "21:9"] = Field(default="16:9", title="Aspect Ratio (W:H)")
    # No Literal, which takes 5.0 for 5.
    duration: int = Field(default=5, title="Duration", ge=2, le=12, json_schema_extra={"enum": [*range(2, 13)]})
    seed: int = Field(default=38810827, title="Seed")

    @property
    def size(self) -> tuple[int, int]:
        return SIZES[self.resolution, self.ratio]

    @property
    def frame_count(self) -> int:
        """One more than 24 a second, as in real ones: 5 s has 121."""
        return self.duration * FPS + 1
