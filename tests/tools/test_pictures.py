"""The pictures of the example workflows and of the help pages are those that the commands draw."""

from __future__ import annotations

from pathlib import Path

import cv2

from tools.help_pictures import ASSETS, PICTURES
from tools.thumbnails import EXAMPLES, THUMBNAILS, write

TOLERANCE = 2.0  # of 255, on average: another build of a library may round in another way


def test_each_is_drawn_alike_again(tmp_path: Path) -> None:
    commands = {
        **{EXAMPLES / f"{name}.jpg": draw for name, draw in THUMBNAILS.items()},
        **{ASSETS / f"{name}.jpg": draw for name, draw in PICTURES.items()},
    }
    for kept, draw in commands.items():
        write(draw(), tmp_path / "again.jpg")
        again, before = cv2.imread(str(tmp_path / "again.jpg")), cv2.imread(str(kept))
        assert again is not None
        assert before is not None
        assert again.shape == before.shape, kept
        assert cv2.absdiff(again, before).mean() < TOLERANCE, kept
