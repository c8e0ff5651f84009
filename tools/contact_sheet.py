"""A video at a glance: its real length and size, and a sheet of frames from start to end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]
    """[height, width, 3], BGR."""

COLUMNS: Final = 4
ROWS: Final = 3
CELL_PIXELS: Final = 400
"""The longer side."""
GAP: Final = 12
CAPTION: Final = 34
"""Pixels below each picture, gap included."""
BACKGROUND: Final = 24
FOREGROUND: Final = (220, 220, 220)
FONT: Final = 0
"""`cv2.FONT_HERSHEY_SIMPLEX`."""
FONT_SIZE: Final = 0.45


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
    import cv2

    capture = cv2.VideoCapture(str(video))
    width = height = 0
    thumbnails: list[Picture] = []
    while True:
        more, frame = capture.read()
        if not more:
            break
        height, width = frame.shape[:2]
        scale = CELL_PIXELS / max(width, height)
        small = cv2.resize(frame, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        thumbnails.append(small.astype("uint8", copy=False))
    capture.release()
    if not thumbnails:
        raise ValueError(f"{video} holds no frame that can be decoded")
    cv2.imwrite(str(sheet), _grid(thumbnails))
    return Footage(len(thumbnails), width, height)


def _grid(pictures: list[Picture]) -> Picture:
    import cv2
    import numpy as np

    height, width = pictures[0].shape[:2]
    cell_height, cell_width = height + CAPTION, width + GAP
    sheet: Picture = np.full((ROWS * cell_height + GAP, COLUMNS * cell_width + GAP, 3), BACKGROUND, np.uint8)
    last = len(pictures) - 1
    for cell in range(ROWS * COLUMNS):
        number = round(cell * last / (ROWS * COLUMNS - 1))
        row, column = divmod(cell, COLUMNS)
        top, left = GAP + row * cell_height, GAP + column * cell_width
        sheet[top : top + height, left : left + width] = pictures[number]
        spot = (left, top + cell_height - GAP)
        cv2.putText(sheet, f"{number + 1} of {last + 1}", spot, FONT, FONT_SIZE, FOREGROUND, 1, cv2.LINE_AA)
    return sheet
