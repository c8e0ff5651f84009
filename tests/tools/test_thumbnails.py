"""The pictures of the example workflows are those that the command draws."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.tools.drawings import check_drawn_alike_again
from tools.thumbnails import EXAMPLES, SIZE, THUMBNAILS


def test_every_example_has_one() -> None:
    assert set(THUMBNAILS) == {file.stem for file in EXAMPLES.glob("*.json")}


@pytest.mark.parametrize("name", THUMBNAILS)
def test_it_is_drawn_alike_again(name: str, tmp_path: Path) -> None:
    check_drawn_alike_again(THUMBNAILS[name], EXAMPLES / f"{name}.jpg", tmp_path)
    assert Image.open(EXAMPLES / f"{name}.jpg").size == (SIZE, SIZE)


def test_no_two_are_alike() -> None:
    pictures = {(EXAMPLES / f"{name}.jpg").read_bytes() for name in THUMBNAILS}
    assert len(pictures) == len(THUMBNAILS)
