"""Every colour arrives as it was put in, whatever the file says about its own and however it says it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
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


def off(file: Path, coding: Coding) -> float:
    """By how much the worst patch of all frames is wrong, of 255."""
    images = decode(write_clip(file, [chart()] * 3, coding=coding)).images.numpy()
    assert len(images) == 3
    return float(max(np.abs(centres(frame) - COLOURS).max() for frame in images))


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p"])
@pytest.mark.parametrize("matrix", [BT709, BT601, BT470BG])
def test_the_tagged_matrix_is_the_one_used(tmp_path: Path, matrix: int, pixels: str) -> None:
    assert off(tmp_path / "a.mp4", Coding(options=SHARP, pixels=pixels, matrix=matrix, tag=matrix)) <= 2


def test_untagged_is_601(tmp_path: Path) -> None:
    assert off(tmp_path / "a.mp4", Coding(options=SHARP, matrix=BT601)) <= 2


def test_the_chart_tells_the_matrices_apart(tmp_path: Path) -> None:
    """The proof that the tests above can fail: here the tag lies."""
    assert off(tmp_path / "a.mp4", Coding(options=SHARP, matrix=BT709, tag=BT601)) > 20


@pytest.mark.parametrize("matrix", [BT709, BT601, None])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p"])
def test_full_range_is_honoured(tmp_path: Path, pixels: str, matrix: int | None) -> None:
    coding = Coding(options=SHARP, pixels=pixels, matrix=matrix or BT601, tag=matrix, full_range=True)
    assert off(tmp_path / "a.mp4", coding) <= 3


@pytest.mark.parametrize("matrix", [BT709, BT601])
@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx265", HEVC),
        ("a.mp4", "libvpx-vp9", VP9),
        ("a.webm", "libvpx-vp9", VP9),
        ("a.mkv", "libx264", SHARP),
    ],
)
def test_other_codings_keep_the_colours(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], matrix: int
) -> None:
    assert off(tmp_path / name, Coding(codec, options, matrix=matrix, tag=matrix)) <= 2


@pytest.mark.parametrize("matrix", [BT709, BT601])
@pytest.mark.parametrize(("codec", "options"), [("libx264", SHARP), ("libx265", HEVC)])
def test_ten_bits_become_eight(tmp_path: Path, codec: str, options: dict[str, str], matrix: int) -> None:
    """Swscale rounds the colours of these to fewer steps, in ComfyUI's own decoder just as here."""
    coding = Coding(codec, options, pixels="yuv420p10le", matrix=matrix, tag=matrix)
    assert off(tmp_path / "a.mp4", coding) <= 4
    images = decode(tmp_path / "a.mp4").images.numpy() * 255
    assert np.abs(images - chart()).mean() <= 4


def test_a_grey_ramp_stays_a_ramp_in_ten_bits(tmp_path: Path) -> None:
    ramp: Picture = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (64, 256, 3)).copy()
    file = write_clip(tmp_path / "a.mp4", [ramp], coding=Coding(options=SHARP, pixels="yuv420p10le"))
    row = decode(file).images.numpy()[0].mean(axis=(0, 2)) * 255
    assert np.abs(row - np.arange(256)).max() <= 3
    assert np.diff(row).min() > -1
