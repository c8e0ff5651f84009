"""Decoded frames as they are to be seen: red, green and blue, upright, as bytes or as numbers from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import numpy as np
from av import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

_MATRICES: Final = MappingProxyType({1: 1, 4: 4, 7: 7, 9: 9, 10: 9})
"""Colour matrices by their numbers in ITU-T H.273, as swscale numbers them: BT.709, FCC, SMPTE 240M, BT.2020."""
Orientation = tuple[int, int, int, int]
"""A pixel at (x, y) is to be shown at (a x + c y, b x + d y): a, b, c and d of ISO/IEC 14496-12, 8.3.2."""


def orientation_of(frame: VideoFrame) -> Orientation:
    """How the frames of a video are to be turned and mirrored, told by one of them.

    To ask every frame costs memory: PyAV's side data keep theirs alive until the next garbage collection.
    """
    try:
        matrix = memoryview(frame.side_data["DISPLAYMATRIX"])  # type: ignore[typeddict-item]  # PyAV's types know one kind
    except KeyError:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = np.frombuffer(matrix, np.int32).tolist()
    return a, b, c, d


def to_rgb(frame: VideoFrame, orientation: Orientation) -> NDArray[np.uint8]:
    """A frame as [height, width, 3], RGB, upright; valid by itself, and not always contiguous."""
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    rgb = (_without_fields(frame) if frame.interlaced_frame else frame).reformat(
        format="rgb24",
        # Everything is said, since the defaults differ between PyAV's versions, and not all are right.
        src_colorspace=_MATRICES.get(int(frame.colorspace), Colorspace.ITU601),
        dst_colorspace=Colorspace.ITU601,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    )
    picture = _rows(rgb.planes[0])[:, : rgb.width * 3].reshape(rgb.height, rgb.width, 3)
    a, b, c, d = orientation
    if not b and not c:
        right, down = a, d
    elif not a and not d:
        picture, right, down = picture.transpose(1, 0, 2), c, b
    else:  # neither quarter turns nor mirrorings
        return picture
    return picture[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]


def _without_fields(frame: VideoFrame) -> VideoFrame:
    """The same picture, not marked as interlaced, for which PyAV from 17 on blurs colours across every other line."""
    plain = VideoFrame(frame.width, frame.height, frame.format.name)
    for target, source in zip(plain.planes, frame.planes, strict=True):
        size = min(target.line_size, source.line_size)
        _rows(target)[:, :size] = _rows(source)[:, :size]
    return plain


def _rows(plane: VideoPlane) -> NDArray[np.uint8]:
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)


def float_converter() -> Callable[[NDArray[np.uint8], NDArray[np.float32]], object]:
    """A function that writes ``picture / 255`` into an array of the same shape, for any number of threads.

    By OpenCV; where it cannot be imported NumPy gives the same values.
    """
    try:
        from cv2 import LUT
    except ImportError:
        return lambda picture, out: np.divide(picture, np.float32(255), out=out)
    table = (np.arange(256, dtype=np.float32) / np.float32(255)).reshape(1, 256)
    return lambda picture, out: LUT(picture, table, dst=out)
