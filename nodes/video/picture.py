"""Decoded frames as they are to be seen: red, green and blue, upright, as bytes or as numbers from 0 to 1."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
from av import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MATRICES: Final = MappingProxyType({1: 1, 4: 4, 7: 7, 9: 9, 10: 9})
"""Colour matrices by their numbers in ITU-T H.273, as swscale numbers them: BT.709, FCC, SMPTE 240M, BT.2020."""


class RgbConverter:
    """Converts the frames of one video to RGB, in any number of threads."""

    def __init__(self, first: VideoFrame) -> None:
        """
        Args:
            first: a frame that tells for all how they are to be turned.
        """
        # To ask every frame costs memory: PyAV's side data keep theirs alive until the next garbage collection.
        self._matrix = _display_matrix(first)
        self._idle: deque[VideoReformatter] = deque()
        """Each has tables that take long to make, and serves one thread at a time."""

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """A frame as [height, width, 3], RGB, upright; valid by itself, and not always contiguous."""
        full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        try:
            reformatter = self._idle.pop()
        except IndexError:
            reformatter = VideoReformatter()
        rgb = reformatter.reformat(
            _without_fields(frame) if frame.interlaced_frame else frame,
            format="rgb24",
            # Everything is said, since the defaults differ between PyAV's versions, and not all are right.
            src_colorspace=_MATRICES.get(int(frame.colorspace), Colorspace.ITU601),
            dst_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
        self._idle.append(reformatter)
        plane = rgb.planes[0]
        stored = np.ndarray((rgb.height, rgb.width, 3), np.uint8, memoryview(plane), strides=(plane.line_size, 3, 1))
        return _upright(stored, *self._matrix)


def _without_fields(frame: VideoFrame) -> VideoFrame:
    """The same picture, not marked as interlaced, for which PyAV from 17 on blurs colours across every other line."""
    plain = VideoFrame(frame.width, frame.height, frame.format.name)
    for target, source in zip(plain.planes, frame.planes, strict=True):
        size = min(target.line_size, source.line_size)
        _rows(target)[:, :size] = _rows(source)[:, :size]
    return plain


def _rows(plane: VideoPlane) -> NDArray[np.uint8]:
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)


def _display_matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    """What the file says of how frames are to be turned and mirrored (a, b, c, d of ISO/IEC 14496-12, 8.3.2)."""
    try:
        data = memoryview(frame.side_data["DISPLAYMATRIX"])  # type: ignore[typeddict-item]  # PyAV's types know one kind
    except KeyError:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = struct.unpack("=9i", data)
    return a, b, c, d


def _upright(picture: NDArray[np.uint8], a: int, b: int, c: int, d: int) -> NDArray[np.uint8]:
    """A view of a picture whose pixel at (x, y) is to be shown at (a x + c y, b x + d y); as it is unless those are
    quarter turns and mirrorings."""
    if not b and not c:
        right, down = a, d
    elif not a and not d:
        picture, right, down = picture.transpose(1, 0, 2), c, b
    else:
        return picture
    return picture[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]


def float_converter() -> Callable[[NDArray[np.uint8], NDArray[np.float32]], object]:
    """A function that writes ``picture / 255`` into an array of the same shape, for any number of threads.

    By OpenCV, which takes a sixth of NumPy's time; where it cannot be imported NumPy gives the same values.
    """
    try:
        from cv2 import LUT
    except ImportError:
        return lambda picture, out: np.divide(picture, np.float32(255), out=out, dtype=np.float32)
    table = (np.arange(256, dtype=np.float32) / np.float32(255)).reshape(1, 256)

    def look_up(picture: NDArray[np.uint8], out: NDArray[np.float32]) -> None:
        # OpenCV takes rows that are padded, but none that are turned or mirrored.
        LUT(picture if picture.strides[0] > 0 and picture.strides[1:] == (3, 1) else picture.copy(), table, dst=out)

    return look_up
