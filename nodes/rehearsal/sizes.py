"""What a finished video measures. Source: the sizes published for Seedance 1.0 Pro."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

FPS: Final = 24

SIZES: Final[Mapping[tuple[str, str], tuple[int, int]]] = MappingProxyType(
    {
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
)
"""(resolution, ratio) to (width, height) in pixels."""


def frame_count(duration: int) -> int:
    """Frames in a video of ``duration`` seconds: one more than 24 a second, as in real ones (5 s has 121)."""
    return duration * FPS + 1
