"""The demo's closing figures come from decoding, and its sheet shows the whole clip."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tools.contact_sheet import Footage, write_contact_sheet


def test_figures_and_sheet_of_a_clip(tmp_path: Path) -> None:
    clip, sheet = tmp_path / "clip.mp4", tmp_path / "sheet.png"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 24, (160, 96))
    for number in range(25):
        writer.write(np.full((96, 160, 3), number * 10, np.uint8))
    writer.release()

    assert write_contact_sheet(clip, sheet) == Footage(25, 160, 96)

    picture = cv2.imread(str(sheet))
    assert picture is not None
    height, width = picture.shape[:2]
    # Four columns and three rows: the first cell shows the first frame, the last one the last.
    assert abs(int(picture[height // 6, width // 8, 0]) - 0) < 8
    assert abs(int(picture[-height // 6, -width // 8, 0]) - 240) < 8


def test_what_is_no_video_is_an_error(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"<html>")
    with pytest.raises(ValueError, match="no frame"):
        write_contact_sheet(clip, tmp_path / "sheet.png")
