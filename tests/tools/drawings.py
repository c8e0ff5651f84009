"""Pictures in the repository that a command draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2

from tools.thumbnails import Picture, write

TOLERANCE = 2.0  # of 255, on average: another build of a library may round in another way


def check_drawn_alike_again(draw: Callable[[], Picture], kept: Path, folder: Path) -> None:
    """The picture is the one that the command would draw today."""
    write(draw(), folder / "again.jpg")
    again, before = cv2.imread(str(folder / "again.jpg")), cv2.imread(str(kept))
    assert again is not None
    assert before is not None
    assert again.shape == before.shape
    assert cv2.absdiff(again, before).mean() < TOLERANCE
