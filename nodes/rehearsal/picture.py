"""Pictures as H.264 takes them: planes of luma and half-size chroma (I420, BT.601, limited range).

Frames are put together in these planes from parts that were painted once in RGB, which is many times cheaper than
painting and converting every frame. All positions and sizes are even, since one chroma sample covers 2x2 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]
"""Y [height, width], U and V [height / 2, width / 2]."""
Colour: TypeAlias = tuple[int, int, int]
"""RGB, 0..255."""

_BLACK = (16, 128, 128)
_SHIFTS = (0, 1, 1)
"""By how many bits a position in the picture is shifted to give the one in each plane."""


def even(value: float) -> int:
    """The nearest even whole number."""
    return 2 * round(value / 2)


def planes_of(rgb: Bytes) -> Planes:
    """The planes of an RGB picture [height, width, 3] of even size."""
    height, width = rgb.shape[:2]
    packed = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)
    return _split(packed, width, height)


class Picture:
    """One frame that is drawn again and again; ``packed`` is uint8 [height * 3 / 2, width], as FFmpeg's yuv420p."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.packed: Bytes = np.empty((height * 3 // 2, width), np.uint8)
        self.planes = _split(self.packed, width, height)

    def copy(self, source: Planes, left: int, top: int) -> None:
        """Fill the full width from ``top`` on with the part of ``source`` that starts at its column ``left``."""
        for target, plane, shift in zip(self.planes, source, _SHIFTS, strict=True):
            rows, columns = plane.shape[0], self.width >> shift
            start = left >> shift
            target[top >> shift : (top >> shift) + rows] = plane[:, start : start + columns]

    def fill(self, left: int, top: int, width: int, height: int, colour: Colour) -> None:
        """Paint a rectangle."""
        patch = planes_of(np.full((2, 2, 3), colour, np.uint8))
        for target, plane, shift in zip(self.planes, patch, _SHIFTS, strict=True):
            rows, columns = slice(top >> shift, (top + height) >> shift), slice(left >> shift, (left + width) >> shift)
            target[rows, columns] = plane[0, 0]


@dataclass(frozen=True)
class Decal:
    """A translucent part that is laid over pictures."""

    added: Planes
    """Its own colours, weighted with its opacity."""
    kept: Planes
    """How much of the picture beneath stays, 0..255."""
    left: int
    top: int
    """Where its planes begin in the picture that it was made from; empty edges are left out."""

    @classmethod
    def of(cls, whole: Bytes) -> Decal:
        """The decal of an RGBA picture [height, width, 4] of even size, not premultiplied and not empty."""
        rows, columns = (np.flatnonzero(whole[..., 3].any(axis=axis)) // 2 * 2 for axis in (1, 0))
        left, top = int(columns[0]), int(rows[0])
        rgba = whole[top : rows[-1] + 2, left : columns[-1] + 2]
        height, width = rgba.shape[:2]
        alpha = (rgba[..., 3] / 255).astype(np.float32)
        weighted = np.rint(rgba[..., :3] * alpha[..., None]).astype(np.uint8)
        half = np.asarray(cv2.resize(alpha, (width // 2, height // 2), interpolation=cv2.INTER_AREA), dtype=np.float32)
        alphas: tuple[NDArray[np.float32], ...] = (alpha, half, half)
        added = [
            # A weighted colour converts to "black + weight * difference"; the black has to be weighted too.
            np.clip(np.rint(plane + opacity * black - black), 0, 255).astype(np.uint8)
            for plane, opacity, black in zip(planes_of(weighted), alphas, _BLACK, strict=True)
        ]
        kept = [np.rint(255 - 255 * opacity).astype(np.uint8) for opacity in alphas]
        return cls((added[0], added[1], added[2]), (kept[0], kept[1], kept[2]), left, top)

    def lay(self, picture: Picture, left: int, top: int) -> None:
        """Blend it over ``picture``, inside of which it must lie, as if nothing had been left out."""
        left, top = left + self.left, top + self.top
        for target, added, kept, shift in zip(picture.planes, self.added, self.kept, _SHIFTS, strict=True):
            rows, columns = added.shape
            area = target[top >> shift : (top >> shift) + rows, left >> shift : (left >> shift) + columns]
            area[:] = cv2.add(cv2.multiply(area, kept, scale=1 / 255), added)


def _split(packed: Bytes, width: int, height: int) -> Planes:
    samples = packed.reshape(-1)
    luma, chroma = width * height, width * height // 4
    return (
        samples[:luma].reshape(height, width),
        samples[luma : luma + chroma].reshape(height // 2, width // 2),
        samples[luma + chroma :].reshape(height // 2, width // 2),
    )
