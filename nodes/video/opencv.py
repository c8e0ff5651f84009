"""OpenCV as it is on this machine: loaded when it is needed, and told apart where builds differ."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .containers import check_container
from .errors import UnsupportedVideo, unreadable

if TYPE_CHECKING:
    import cv2

NO_INTERLACED_FROM: Final = (4, 13)
"""Newer builds hand out black frames for interlaced pictures, and say that all went well."""


def open_video(file: Path) -> cv2.VideoCapture:
    """A reader of decoded frames. Raises `UnsupportedVideo` or `CorruptVideo`."""
    return _opened(file, packets=False)


def open_packets(file: Path) -> cv2.VideoCapture:
    """A reader that only walks through the file, frame by frame. Raises `UnsupportedVideo` or `CorruptVideo`."""
    return _opened(file, packets=True)


def codec(reader: cv2.VideoCapture) -> str:
    """The four letters that stand for a video's coding, as OpenCV names it: `h264`, `hevc`, `vp90`, `av01`."""
    import cv2

    letters = int(reader.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF  # OpenCV counts them as a signed number
    return letters.to_bytes(4, "little").decode("latin-1").lower()


def picture_size(reader: cv2.VideoCapture) -> int:
    """The pixels of a picture: those that are coded, whatever the file says."""
    import cv2

    return int(reader.get(cv2.CAP_PROP_FRAME_WIDTH) * reader.get(cv2.CAP_PROP_FRAME_HEIGHT))


def is_plain(reader: cv2.VideoCapture) -> bool:
    """Whether a pixel takes a byte and a half while it is decoded, as in most videos; in others it takes up to six."""
    import cv2

    return int(reader.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) == cv2.VideoWriter.fourcc(*"I420")


def settings(packets: cv2.VideoCapture) -> bytes:
    """The decoder's configuration as the file has it, from a reader of packets; empty where it has none."""
    import cv2

    got, content = packets.retrieve(flag=int(packets.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)))
    return content.tobytes() if got and content is not None else b""


@cache
def version() -> tuple[int, int]:
    """The build's version."""
    import cv2

    major, minor = (int(part) for part in cv2.__version__.split(".")[:2])
    return major, minor


def check_installation() -> None:
    """Make sure that there is more of OpenCV than its folder. Raises `UnsupportedVideo`."""
    import cv2

    if not hasattr(cv2, "VideoCapture"):
        # What uninstalling one of its packages leaves behind, if two of them were there.
        raise UnsupportedVideo(
            "The installation of OpenCV is broken.",
            "Repair it with ComfyUI's Python: pip install --force-reinstall --no-deps opencv-python",
        )


def _opened(file: Path, *, packets: bool) -> cv2.VideoCapture:
    check_installation()
    check_container(file)
    import cv2

    reader = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1] if packets else [])
    if reader.isOpened():
        return reader
    raise unreadable(file)
