"""Every colour arrives as it was put in, whatever the file says about its own and however it says it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodes.video.decode import decode
from tests.support.clips import BT470BG, BT601, BT709, Coding, Picture, write_clip

COLOURS = np.array(
    [
        [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)],
        [(224, 172, 140), (141, 85, 54), (255, 219, 190), (0, 0, 0)],  # skin
        [(32, 32, 32), (64, 64, 64), (128, 128, 128), (200, 200, 200)],
        [(255, 255, 0), (0, 255, 255), (255, 0, 255), (250, 120, 10)],
    ],
    np.uint8,
)
PATCH = 32
"""Pixels; large enough for a centre that the halved resolution of the colours does not touch."""
SHARP = {"preset": "ultrafast", "crf": "4"}
HEVC = {"preset": "ultrafast", "x265-params": "crf=4:log-level=none"}
VP9 = {"deadline": "realtime", "cpu-used": "8", "crf": "4"}


def chart() -> Picture:
    picture: Picture = COLOURS.repeat(PATCH, 0).repeat(PATCH, 1)
    return picture


def centres(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """The colour in the middle of each patch, 0..255."""
    half = PATCH // 2
    return frame[half::PATCH, half::PATCH] * 255


def off(folder: Path, coding: Coding, ending: str = ".mp4") -> float:
    """By how much the worst patch of all frames is wrong, of 255."""
    images = decode(write_clip(folder / f"a{ending}", [chart()] * 3, coding=coding)).images.numpy()
    assert len(images) == 3
    return float(max(np.abs(centres(frame) - COLOURS).max() for frame in images))


def test_every_colour_arrives_by_the_matrix_and_range_that_the_file_tells_of_and_without_a_tag_by_601(
    tmp_path: Path,
) -> None:
    """Also full range where the pixel format does not say so, as in VP9 and in ten bits."""
    x264, hevc, vp9 = ("libx264", SHARP), ("libx265", HEVC), ("libvpx-vp9", VP9)
    rows = [
        *product((".mp4",), (x264,), ("yuv420p", "yuv444p"), (BT709, BT601, BT470BG), (False,)),
        *product((".mp4",), (hevc, vp9), ("yuv420p",), (BT709, BT601), (False,)),
        *product((".mkv",), (x264,), ("yuv420p",), (BT709, BT601), (False,)),
        *product((".webm",), (vp9,), ("yuv420p",), (BT709, BT601), (False,)),
        *product((".mp4",), (x264,), ("yuv420p", "yuvj420p", "yuv420p10le"), (BT709, BT601, None), (True,)),
        *product((".mp4",), (vp9,), ("yuv420p",), (BT709, BT601, None), (True,)),
        (".mp4", x264, "yuv420p", None, False),
    ]
    for ending, coder, pixels, tag, full_range in rows:
        coding = Coding(*coder, pixels=pixels, matrix=tag or BT601, tag=tag, full_range=full_range)
        assert off(tmp_path, coding, ending) <= (4 if "10" in pixels else 2 + full_range), (ending, coding)
    assert off(tmp_path, Coding(options=SHARP, matrix=BT709, tag=BT601)) > 20, "a lie is seen, so this test can fail"


def test_ten_bits_become_eight(tmp_path: Path) -> None:
    """Swscale rounds the colours of these to fewer steps, in ComfyUI's own decoder just as here."""
    for (codec, options), matrix in product((("libx264", SHARP), ("libx265", HEVC)), (BT709, BT601)):
        coding = Coding(codec, options, pixels="yuv420p10le", matrix=matrix, tag=matrix)
        assert off(tmp_path, coding) <= 4, coding
        images = decode(tmp_path / "a.mp4").images.numpy() * 255
        assert np.abs(images - chart()).mean() <= 4, coding


def test_a_grey_ramp_stays_a_ramp_in_ten_bits(tmp_path: Path) -> None:
    ramp: Picture = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (64, 256, 3)).copy()
    file = write_clip(tmp_path / "a.mp4", [ramp], coding=Coding(options=SHARP, pixels="yuv420p10le"))
    row = decode(file).images.numpy()[0].mean(axis=(0, 2)) * 255
    assert np.abs(row - np.arange(256)).max() <= 3
    assert np.diff(row).min() > -1
