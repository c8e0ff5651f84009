"""Which format a file has, told from how it begins, and whether it is as long as it says.

FFmpeg is told the format: left to itself it goes by content whatever the name says, and some contents are lists of
other files. A playlist that somebody uploads as a video would be shown with the frames of any video on this machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .errors import incomplete, unreadable
from .mp4 import check_boxes

_FIRST_BOXES: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""With which an MP4 or QuickTime file may begin; old QuickTime files have no `ftyp`."""
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_HEAD: Final = 256
"""Bytes; Matroska's header has some 40."""


def format_of(file: Path) -> str:
    """FFmpeg's name for the format of a file: `mov` for MP4 as well, `matroska` for WebM as well, or `avi`.

    Raises:
        UnsupportedVideo: it is none of these.
        CorruptVideo: it is shorter than it says.
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    if head[4:8] in _FIRST_BOXES:
        check_boxes(file)
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        name, end = "avi", int.from_bytes(head[4:8], "little") + 8
    elif head[:4] == _EBML:
        name, end = "matroska", _end_of_matroska(head)
    else:
        raise unreadable(file)
    length = file.stat().st_size
    if end > length:
        raise incomplete(file, length, end)
    return name


def _end_of_matroska(head: bytes) -> int:
    """Where the file's segment ends, by what it says; 0 where it does not, as in a recording that is still going on."""
    size, start = _number(head, 4)
    segment = start + (size or 0)
    if head[segment : segment + 4] != _SEGMENT:
        return 0
    size, start = _number(head, segment + 4)
    return 0 if size is None else start + size


def _number(head: bytes, place: int) -> tuple[int | None, int]:
    """A number whose first byte tells how many bytes it has, and the place behind it; None for an unknown size."""
    length = 9 - head[place].bit_length() if place < len(head) else 9
    value = int.from_bytes(head[place : place + length], "big") & ((1 << 7 * length) - 1)
    unknown = length > 8 or value == (1 << 7 * length) - 1
    return None if unknown else value, place + length
