"""What the submit call takes, and the size of the video that it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FPS: Final = 24

SIZES: Final[Mapping[tuple[str, str], tuple[int, int]]] = {
    ("480p", "16:9"): (864, 480),
    ("480p", "4:3"): (736, 544),
    ("480p", "1:1"): (640, 640),
    ("480p", "3:4"): (544, 736),
    ("480p", "9:16"): (480, 864),
    ("480p", "21:9"): (960, 416),
    ("720p", "16:9"): (1248, 704),
    ("720p", "4:3"): (1120, 832),
    ("720p", "1:1"): (960, 960),
    ("720p", "3:4"): (832, 1120),
    ("720p", "9:16"): (704, 1248),
    ("720p", "21:9"): (1504, 640),
    ("1080p", "16:9"): (1920, 1088),
    ("1080p", "4:3"): (1664, 1248),
    ("1080p", "1:1"): (1440, 1440),
    ("1080p", "3:4"): (1248, 1664),
    ("1080p", "9:16"): (1088, 1920),
    ("1080p", "21:9"): (2176, 928),
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
        """Width and height in pixels."""
        return SIZES[self.resolution, self.ratio]

    @property
    def frame_count(self) -> int:
        """One more than 24 a second, as in real ones: 5 s has 121."""
        return self.duration * FPS + 1
