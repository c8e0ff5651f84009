"""OpenCV as it is on this machine: loaded when it is needed, and told apart where builds differ."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .containers import check_container
from .errors import NotAVideo

if TYPE_CHECKING:
    import cv2

NO_INTERLACED_FROM: Final = (4, 13)
"""Newer builds hand out black frames for interlaced pictures, and say that all went well."""


def open_video(file: Path) -> cv2.VideoCapture:
    """A reader of decoded frames. Raises `NotAVideo` or `Damaged`."""
    return _opened(file, [])


def open_packets(file: Path) -> cv2.VideoCapture:
    """A reader that only walks through the file, frame by frame. Raises `NotAVideo` or `Damaged`."""
    import cv2

    return _opened(file, [cv2.CAP_PROP_FORMAT, -1])


def codec(reader: cv2.VideoCapture) -> str:
    """The four letters that stand for a video's coding, as OpenCV names it: `h264`, `hevc`, `vp90`, `av01`."""
    import cv2

    letters = int(reader.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF  # OpenCV counts them as a signed number
    return letters.to_bytes(4, "little").decode("latin-1").lower()


def settings(packets: cv2.VideoCapture) -> bytes:
    """The decoder's configuration as the file has it, from a reader of packets; empty where it has none."""
    import cv2

    got, content = packets.retrieve(flag=int(packets.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)))
    return content.tobytes() if got and content is not None else b""


@cache
def version() -> tuple[int, int]:
    """The build's version. Raises `NotAVideo`."""
    import cv2

    if not hasattr(cv2, "VideoCapture"):
        # What uninstalling one of its packages leaves behind, if two of them were there.
        raise NotAVideo(
            "The installation of OpenCV is broken.",
            "Repair it with ComfyUI's Python: pip install --force-reinstall --no-deps opencv-python",
        )
    major, minor = (int(part) for part in cv2.__version__.split(".")[:2])
    return major, minor


def _opened(file: Path, options: list[int]) -> cv2.VideoCapture:
    version()
    check_container(file)
    import cv2

    reader = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG, options)
    if reader.isOpened():
        return reader
    raise NotAVideo(f"{file.name} is not a video that OpenCV can read.", "Use an H.264 MP4.")
