"""A video at a glance: its real length and size, and a sheet of frames from start to end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from PIL import Image, ImageDraw, ImageOps

COLUMNS: Final = 4
ROWS: Final = 3
CELL_PIXELS: Final = 400
"""The longer side."""
GAP: Final = 12
CAPTION: Final = 34
"""Pixels below each picture, gap included."""


@dataclass(frozen=True)
class Footage:
    """What a file really decodes to, in frames and pixels."""

    frames: int
    width: int
    height: int


def write_contact_sheet(video: Path, sheet: Path) -> Footage:
    """Decode the whole video and write a PNG with frames at even distances, each with its number.

    Raises:
        ValueError: nothing can be decoded.
    """
    pictures: list[Image.Image] = []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            pictures.append(ImageOps.contain(frame.to_image(), (CELL_PIXELS, CELL_PIXELS)))
            width, height = frame.width, frame.height
    if not pictures:
        raise ValueError(f"{video} holds no frame that can be decoded")
    cell_width, cell_height = pictures[0].width + GAP, pictures[0].height + CAPTION
    canvas = Image.new("RGB", (COLUMNS * cell_width + GAP, ROWS * cell_height + GAP), (24, 24, 24))
    draw = ImageDraw.Draw(canvas)
    last = len(pictures) - 1
    for cell in range(ROWS * COLUMNS):
        number = round(cell * last / (ROWS * COLUMNS - 1))
        row, column = divmod(cell, COLUMNS)
        left, top = GAP + column * cell_width, GAP + row * cell_height
        canvas.paste(pictures[number], (left, top))
        draw.text((left, top + cell_height - CAPTION + 2), f"{number + 1} of {last + 1}", (220, 220, 220), font_size=16)
    canvas.save(sheet)
    return Footage(len(pictures), width, height)
