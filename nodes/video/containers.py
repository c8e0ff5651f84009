"""Which files OpenCV is given at all, told from how they begin.

It goes by content, whatever the name says, and some contents are lists of other files: a playlist that somebody
uploads as a video would be shown with the frames of any video on this machine.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from .errors import Damaged, NotAVideo

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_ENOUGH: Final = 4096
"""Bytes from the start; a Matroska header takes some forty of them."""


def check_container(file: Path) -> None:
    """Make sure that a file is an MP4 or QuickTime, Matroska or WebM, or AVI file, and no shorter than it says.

    Of MP4 files only the beginning is looked at here.

    Raises:
        NotAVideo: it is none of these.
        Damaged: it ends early.
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        head = stream.read(_ENOUGH)
    if head[4:8] == b"ftyp":
        return
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        (size,) = struct.unpack("<I", head[4:8])
        end = size + 8
    elif head[:4] == _EBML:
        end = _end_of_matroska(head)
    else:
        raise NotAVideo(f"{file.name} is not a video that this node can read.", "Use an H.264 MP4.")
    length = file.stat().st_size
    if end > length:
        raise Damaged(
            f"{file.name} is incomplete: it has {length:,} of at least {end:,} bytes.", "Delete it and fetch it again."
        )


def _end_of_matroska(head: bytes) -> int:
    """Where the file's segment ends, by what it says; 0 where it does not, as in a recording that is still going on."""
    size, start = _number(head, 4)
    if size is None or head[start + size : start + size + 4] != _SEGMENT:
        return 0
    segment, content = _number(head, start + size + 4)
    return 0 if segment is None else content + segment


def _number(head: bytes, place: int) -> tuple[int | None, int]:
    """A number whose first byte tells how many bytes it has, and the place behind it; None for an unknown size."""
    length = 9 - head[place].bit_length() if place < len(head) else 9
    value = int.from_bytes(head[place : place + length], "big") & ((1 << 7 * length) - 1)
    unknown = length > 8 or value == (1 << 7 * length) - 1
    return None if unknown else value, place + length
