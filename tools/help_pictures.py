"""Draw the pictures of the help pages that are no screenshots: `python -m tools.help_pictures`.

A help page shows them about 250 pixels wide, so there is little in them, and that is large.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from PIL import Image, ImageDraw

from nodes.rehearsal.render import font
from nodes.rehearsal.schema import SIZES
from nodes.runcomfy.request import RATIOS

from .thumbnails import AMBER, BACKGROUND, WHITE, Picture, frame, lay, shade, write

ASSETS: Final = Path(__file__).resolve().parent.parent / "web" / "docs" / "assets"
WIDTH: Final = 1200
"""Pixels before the picture is made half as large."""
CHOSEN: Final = (3, 5, 7, 9)
"""The frames of the example on the help page: skip 3, every 2nd, at most 4."""
FRAMES: Final = 12


def main() -> int:
    """Write all pictures. Returns the exit code."""
    for name, draw in PICTURES.items():
        write(draw(), ASSETS / f"{name}.jpg")
    return 0


def ratios() -> Picture:
    """A picture in each ratio, all of the same resolution."""
    canvas = Image.new("RGB", (WIDTH, 830), BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    for number, ratio in enumerate(RATIOS):
        width, height = SIZES["480p", ratio]
        middle, bottom = 200 + 400 * (number % 3), 270 + 450 * (number // 3)
        shown_width, shown_height = width * 3 // 8, height * 3 // 8
        left, top = middle - shown_width // 2, bottom - shown_height
        lay(canvas, frame(12, seed=number), (left, top, left + shown_width, bottom), edge=AMBER, round_by=16)
        draw.text((middle, bottom + 50), ratio, WHITE, font(64), anchor="mm")
    return canvas


def chosen_frames() -> Picture:
    """The frames of a clip by their numbers; those that are loaded are lit."""
    canvas = Image.new("RGB", (WIDTH, 460), BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    for number in range(FRAMES):
        left, top = 16 + 197 * (number % 6), 16 + 222 * (number // 6)
        box = (left, top, left + 181, top + 136)
        lit = number in CHOSEN
        lay(canvas, frame(4 * number), box, edge=AMBER if lit else (), round_by=16)
        if not lit:
            shade(canvas, box, even=True)
        draw.text((left + 90, top + 176), str(number), AMBER if lit else WHITE, font(60), anchor="mm")
    return canvas


def upscaled_frame() -> Picture:
    """A frame, and the same twice as wide and high."""
    canvas = Image.new("RGB", (WIDTH, 480), BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    lay(canvas, frame(12), (24, 246, 376, 444), edge=AMBER, round_by=16)
    lay(canvas, frame(12), (472, 48, 1176, 444), edge=AMBER, round_by=16)
    draw.text((424, 345), "›", AMBER, font(80), anchor="mm")
    return canvas


PICTURES: Final[Mapping[str, Callable[[], Picture]]] = MappingProxyType(
    {"options": ratios, "load-video": chosen_frames, "upscale-video": upscaled_frame}
)
"""By file name."""


if __name__ == "__main__":
    sys.exit(main())
