"""The pictures of the example workflows are those that the command draws."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tools.thumbnails import EXAMPLES, SIZE, THUMBNAILS, write

TOLERANCE = 2.0  # of 255, on average: another build of a library may round in another way


def test_every_example_has_one() -> None:
    assert set(THUMBNAILS) == {file.stem for file in EXAMPLES.glob("*.json")}


@pytest.mark.parametrize("name", THUMBNAILS)
def test_it_is_drawn_alike_again(name: str, tmp_path: Path) -> None:
    again = tmp_path / "again.jpg"
    write(THUMBNAILS[name](), again)
    drawn, kept = cv2.imread(str(again)), cv2.imread(str(EXAMPLES / f"{name}.jpg"))
    assert drawn is not None
    assert kept is not None
    assert drawn.shape == kept.shape == (SIZE, SIZE, 3)
    assert cv2.absdiff(drawn, kept).mean() < TOLERANCE


def test_no_two_are_alike() -> None:
    pictures = {(EXAMPLES / f"{name}.jpg").read_bytes() for name in THUMBNAILS}
    assert len(pictures) == len(THUMBNAILS)
