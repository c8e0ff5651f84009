"""Real H.264 MP4s, as small as can be, whose frames carry their number."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""[height, width, 3], RGB."""

_BITS = 8


def numbered(number: int, width: int = 128, height: int = 64) -> Picture:
    """A frame whose number stands in it as eight black or white bars, lowest bit on the left."""
    bits = [255 * (number >> bit & 1) for bit in range(_BITS)]
    row = np.repeat(np.array(bits, np.uint8), width // _BITS)
    picture: Picture = np.broadcast_to(row[None, :, None], (height, width, 3)).copy()
    return picture


def number_in(frame: NDArray[np.float32]) -> int:
    """The number that `numbered` put into a decoded frame."""
    bars = frame[frame.shape[0] // 2, :, 1].reshape(_BITS, -1).mean(axis=1)
    return sum(1 << bit for bit, bar in enumerate(bars) if bar > 0.5)


def plain(red: int, green: int, blue: int, width: int = 128, height: int = 64) -> Picture:
    """A frame of one colour."""
    return np.full((height, width, 3), (red, green, blue), np.uint8)


def write_clip(file: Path, pictures: Iterable[Picture], *, fps: int = 24, index_in_front: bool = True) -> Path:
    """An MP4 like Seedance's own: H.264, yuv420p, B-frames, no colour tags, no audio."""
    movflags = {"movflags": "+faststart"} if index_in_front else {}
    with av.open(str(file), "w", format="mp4", options=movflags) as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "18", "bf": "2"})
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return file
