"""The drawn pictures of the help pages are those that the command draws."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tools.help_pictures import ASSETS, PICTURES
from tools.thumbnails import write

TOLERANCE = 2.0  # of 255, on average: another build of a library may round in another way


@pytest.mark.parametrize("name", PICTURES)
def test_it_is_drawn_alike_again(name: str, tmp_path: Path) -> None:
    again = tmp_path / "again.jpg"
    write(PICTURES[name](), again)
    drawn, kept = cv2.imread(str(again)), cv2.imread(str(ASSETS / f"{name}.jpg"))
    assert drawn is not None
    assert kept is not None
    assert drawn.shape == kept.shape
    assert cv2.absdiff(drawn, kept).mean() < TOLERANCE
