"""What a video file holds, found by walking through it; nothing is decoded."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .edits import shown_frames
from .errors import AGAIN, Cancelled, CorruptVideo, UnsupportedVideo, unreadable
from .interlaced import may_be_interlaced
from .memory import decoder_memory
from .mp4 import check_mp4, is_mp4
from .opencv import (
    NO_INTERLACED_FROM,
    codec,
    is_plain,
    open_packets,
    open_video,
    picture_size,
    settings,
    version,
)
from .tracks import OPENCV_CODINGS, check_coding, check_size

if TYPE_CHECKING:
    import cv2

UNTOLD_FPS: Final = 24.0
"""Seedance's rate, for a file that tells none."""


@dataclass(frozen=True)
class VideoInfo:
    """A video file."""

    frames: int
    """That are shown; edit lists may hide some of what is stored."""
    width: int
    """Pixels, as shown."""
    height: int
    fps: float
    """Frames per second, on average."""


@dataclass(frozen=True)
class Count:
    """The frames of a file, counted one by one."""

    shown: int
    stored: int
    seconds: float
    """From the first to the last."""
    seekable: bool
    """Whether a frame can be sought by its number."""
    pixels: int
    """Of one frame."""
    decoder: int
    """Bytes that the decoder takes, beside the frames."""

    def fps(self, reader: cv2.VideoCapture) -> float:
        """The rate at which the clip lasts as long as the file says; Matroska's own is wrong where the rate varies."""
        import cv2

        return rate(reader.get(cv2.CAP_PROP_FPS), self.stored, self.seconds)


def probe(file: Path, stopped: Callable[[], bool] = lambda: False) -> VideoInfo:
    """What a file says of itself once it is counted. Blocks; raises as `count_frames` does."""
    import cv2

    count = count_frames(file, stopped)
    reader = open_video(file)
    try:
        width, height = (int(reader.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        return VideoInfo(count.shown, width, height, count.fps(reader))
    finally:
        reader.release()


def count_frames(file: Path, stopped: Callable[[], bool]) -> Count:
    """Walk through a file. Blocks; meant for a worker thread.

    Args:
        stopped: asked before every frame.

    Raises:
        UnsupportedVideo: OpenCV cannot read it.
        CorruptVideo: it is incomplete.
        Cancelled: ``stopped`` said so.
    """
    mp4 = is_mp4(file)
    if mp4:
        check_mp4(file)
    packets = open_packets(file)
    try:
        _check_pictures(file, packets, mp4=mp4)
        pixels, decoder = picture_size(packets), decoder_memory(picture_size(packets), plain=is_plain(packets))
        stored, seconds = _walk(packets, stopped)
    finally:
        packets.release()
    count = stored
    if mp4:
        count = shown_frames(file) or stored
        if stored < count:
            raise CorruptVideo(f"{file.name} has {stored} of the {count} frames that its index announces.", AGAIN)
    if not count:
        raise unreadable(file)
    return Count(count, stored, seconds, seekable=mp4, pixels=pixels, decoder=decoder)


def _check_pictures(file: Path, packets: cv2.VideoCapture, *, mp4: bool) -> None:
    """Refuse what would come out black, what is too large, and in an MP4 what its index does not call by its name."""
    coding = codec(packets)
    check_size(file, picture_size(packets))
    if mp4:
        check_coding(file, coding, OPENCV_CODINGS)
    if version() >= NO_INTERLACED_FROM and may_be_interlaced(coding, settings(packets)):
        raise UnsupportedVideo(
            f"{file.name} is interlaced, and this OpenCV would show black frames.",
            "Convert it to a progressive MP4 first.",
        )


def _walk(packets: cv2.VideoCapture, stopped: Callable[[], bool]) -> tuple[int, float]:
    """The number of frames and the seconds from the first to the last, by demuxing them all.

    What the header says may be anything.
    """
    import cv2

    count, first, last = 0, math.inf, 0.0
    while packets.grab():
        count += 1
        due = packets.get(cv2.CAP_PROP_POS_MSEC) / 1000
        first, last = min(first, due), max(last, due)
        if stopped():
            raise Cancelled
    return count, max(last - first, 0.0)


def rate(said: float, frames: int, seconds: float) -> float:
    """Frames per second, from what the header says and from the seconds between the first frame and the last."""
    if not (math.isfinite(said) and said > 0):
        return (frames - 1) / seconds if seconds and frames > 1 else UNTOLD_FPS
    if not seconds:
        return said
    measured = frames / (seconds + 1 / said)
    return said if math.isclose(said, measured, rel_tol=0.01) else measured
