"""What the pictures of an MP4 file are coded in, and how large they are, told before a decoder sees any of them.

FFmpeg decodes hundreds of codings, most of which no user has a file of, and a picture of a few bytes may take
gigabytes.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Final

from .boxes import child, children, inside
from .errors import UnsupportedVideo

CODINGS: Final = (
    *("avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "vp08", "vp09", "av01", "mp4v"),
    *("apco", "apcs", "apcn", "apch", "ap4h", "ap4x"),
)
"""As MP4 and QuickTime files name them: H.264, HEVC, VP8, VP9, AV1, MPEG-4, and the ProRes of cameras and editors."""
OPENCV_CODINGS: Final = (*CODINGS, "h264", "hevc", "vp80", "vp90", "fmp4")
"""As OpenCV names them once they are open; its older versions do it as the files do."""
MOST_PIXELS: Final = 8192 * 4320

_VISUAL: Final = re.compile(rb"esds.{4}\x03(?:\x80{3})?.{4}\x04(?:\x80{3})?.\x20", re.DOTALL)
"""The description of MPEG-4 pictures (ISO/IEC 14496-1); it could as well say that they are PNG."""


def is_video(track: memoryview) -> bool:
    """Whether a track holds pictures."""
    handler = child(track, b"mdia", b"hdlr")
    return handler is not None and bytes(handler[8:12]) == b"vide"


def check_tracks(file: Path, moov: memoryview) -> None:
    """Make sure that the pictures in all tracks of an index are of a known coding and a decent size.

    Raises:
        UnsupportedVideo: they are not.
        struct.error: the index is broken.
    """
    pixels = 0
    for track in children(moov, b"trak"):
        descriptions = child(track, b"mdia", b"minf", b"stbl", b"stsd")
        if descriptions is not None and is_video(track):
            sizes = [_described(file, kind, entry) for kind, entry in inside(descriptions[8:])]
            pixels += max(sizes, default=0)
    check_size(file, pixels)


def check_coding(file: Path, name: str, known: tuple[str, ...]) -> None:
    """Make sure that a coding is one of those that are ``known``. Raises `UnsupportedVideo`."""
    if name not in known:
        shown = re.sub("[^0-9A-Za-z ]", "", name).strip() or "unknown"
        raise UnsupportedVideo(
            f"{file.name} is {shown} video, which this node does not decode.", "Convert it to an H.264 MP4."
        )


def check_size(file: Path, pixels: int) -> None:
    """Make sure that the pictures have not too many pixels, all tracks taken together. Raises `UnsupportedVideo`."""
    if pixels > MOST_PIXELS:
        raise UnsupportedVideo(
            f"The pictures of {file.name} have {pixels / 1e6:.1f} million pixels, and 8192x4320, which is "
            f"{MOST_PIXELS / 1e6:.1f} million, is the most that is read.",
            "Scale it down with another program first.",
        )


def _described(file: Path, kind: bytes, entry: memoryview) -> int:
    """The pixels of a picture that is described so, if it is of a known coding."""
    check_coding(file, kind.decode("latin-1"), CODINGS)
    if bytes(entry).count(b"esds") != len(_VISUAL.findall(entry)):
        check_coding(file, f"unusual {kind.decode('latin-1')}", CODINGS)
    width, height = struct.unpack_from(">HH", entry, 24)
    return int(width * height)
