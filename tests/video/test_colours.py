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


def test_the_tagged_matrix_is_the_one_used_and_without_a_tag_601(tmp_path: Path) -> None:
    for pixels, matrix in product(("yuv420p", "yuv444p"), (BT709, BT601, BT470BG)):
        coding = Coding(options=SHARP, pixels=pixels, matrix=matrix, tag=matrix)
        assert off(tmp_path, coding) <= 2, coding
    assert off(tmp_path, Coding(options=SHARP, matrix=BT601)) <= 2
    assert off(tmp_path, Coding(options=SHARP, matrix=BT709, tag=BT601)) > 20, "a lie is seen, so this test can fail"


def test_full_range_is_honoured(tmp_path: Path) -> None:
    """Also where the pixel format does not say so, as in VP9 and in ten bits."""
    x264, vp9 = ("libx264", SHARP), ("libvpx-vp9", VP9)
    kinds = [(*x264, "yuv420p"), (*x264, "yuvj420p"), (*x264, "yuv420p10le"), (*vp9, "yuv420p")]
    for (codec, options, pixels), tag in product(kinds, (BT709, BT601, None)):
        coding = Coding(codec, options, pixels=pixels, matrix=tag or BT601, tag=tag, full_range=True)
        assert off(tmp_path, coding) <= (4 if "10" in pixels else 3), coding


def test_other_codings_keep_the_colours(tmp_path: Path) -> None:
    hevc, vp9 = ("libx265", HEVC), ("libvpx-vp9", VP9)
    codings = ((".mp4", *hevc), (".mp4", *vp9), (".webm", *vp9), (".mkv", "libx264", SHARP))
    for (ending, codec, options), matrix in product(codings, (BT709, BT601)):
        assert off(tmp_path, Coding(codec, options, matrix=matrix, tag=matrix), ending) <= 2, (ending, codec, matrix)


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
