"""Which files OpenCV is given at all, told from how they begin.

It goes by content, whatever the name says, and some contents are lists of other files: a playlist that somebody
uploads as a video would be shown with the frames of any video on this machine.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Final

from .errors import incomplete, unreadable
from .index import check_index

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_FIRST_LOOK: Final = 2048
"""Bytes from the start. FFmpeg tells the format by so many: by more only where these do not tell."""
_PICTURES: Final = (b"jp", b"jx")
"""How the brands of JPEG 2000 and JPEG XL begin; for FFmpeg, what has them may as well be any other format."""
_DOCTYPE: Final = re.compile(rb"\x42\x82.(?:matroska|webm)", re.DOTALL)


def check_container(file: Path) -> None:
    """Make sure that a file is an MP4 or QuickTime, Matroska or WebM, or AVI file that FFmpeg can safely open.

    Each must be so clearly what it is that FFmpeg cannot take it for anything else. Matroska and AVI files must not be
    shorter than they say, and an MP4's index must be one that `check_index` lets through.

    Raises:
        UnsupportedVideo: it is none of these.
        CorruptVideo: it ends early, or its index is not to be believed.
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        head = stream.read(_FIRST_LOOK)
    # A first box of less than 64 KB: the zeros in front keep FFmpeg from reading the file as a text.
    if head[:2] == bytes(2) and head[4:8] == b"ftyp" and head[8:10] not in _PICTURES:
        check_index(file)
        return
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        (size,) = struct.unpack("<I", head[4:8])
        end = size + 8
    elif head[:4] == _EBML:
        end = _end_of_matroska(file, head)
    else:
        raise unreadable(file)
    length = file.stat().st_size
    if end > length:
        raise incomplete(file, length, end)


def _end_of_matroska(file: Path, head: bytes) -> int:
    """Where the file's segment ends, by what it says; 0 where it does not, as in a recording that is still going on."""
    size, start = _number(head, 4)
    if size is None or start + size > len(head) or not _DOCTYPE.search(head, start, start + size):
        raise unreadable(file)
    if head[start + size : start + size + 4] != _SEGMENT:
        return 0
    segment, content = _number(head, start + size + 4)
    return 0 if segment is None else content + segment


def _number(head: bytes, place: int) -> tuple[int | None, int]:
    """A number whose first byte tells how many bytes it has, and the place behind it; None for an unknown size."""
    length = 9 - head[place].bit_length() if place < len(head) else 9
    value = int.from_bytes(head[place : place + length], "big") & ((1 << 7 * length) - 1)
    unknown = length > 8 or value == (1 << 7 * length) - 1
    return None if unknown else value, place + length
