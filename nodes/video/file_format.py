"""What kind of video a file is, and whether it is there to its end, told from its first bytes and its boxes.

FFmpeg is told the format: left to itself it goes by content whatever the name says, and some contents are lists of
other files. A playlist that somebody uploads as a video would be shown with the frames of any video on this machine.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from .errors import AGAIN, CorruptVideo, UnsupportedVideo, cannot_open, name_of, unreadable

MOST_BOXES: Final = 100_000
"""Beside each other; a file of nothing but tiny ones would take minutes."""
_FIRST_BOXES: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""With which an MP4 or QuickTime file may begin; old QuickTime files have no `ftyp`."""
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def check_mp4(file: Path) -> None:
    """Make sure that a file is an MP4 of which nothing is missing at the end. Takes less than a millisecond.

    Raises:
        UnsupportedVideo: it does not start with an `ftyp` box.
        CorruptVideo: a box is missing or not there to its end, or there are absurdly many.
        OSError: it cannot be read.
    """
    if _head(file)[4:8] != b"ftyp":
        raise UnsupportedVideo(f"{name_of(file)} is not an MP4 video.", "Use an MP4 file.")
    _check_boxes(file)


def format_of(file: Path) -> str:
    """FFmpeg's name for the format of a file: `mov` for MP4 as well, `matroska` for WebM as well, or `avi`.

    Raises:
        UnsupportedVideo: it is none of these.
        CorruptVideo: it is shorter than it says, or as in `check_mp4`.
        VideoError: the system does not let it be read.
    """
    try:
        head = _head(file)
    except OSError as error:
        raise cannot_open(file, error.strerror or type(error).__name__) from None
    if head[4:8] in _FIRST_BOXES:
        _check_boxes(file)
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        _check_length(file, int.from_bytes(head[4:8], "little") + 8)
        return "avi"
    if head[:4] == _EBML:
        _check_length(file, _end_of_matroska(head))
        return "matroska"
    raise unreadable(file)


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(256)  # Matroska's header has some 40 bytes, the others fewer


def _check_length(file: Path, end: int) -> None:
    length = file.stat().st_size
    if end > length:
        raise CorruptVideo(f"{name_of(file)} is incomplete: it has {length:,} of at least {end:,} bytes.", AGAIN)


def _check_boxes(file: Path) -> None:
    """Walk over the top-level boxes of a file (ISO/IEC 14496-12), which must have an index and pictures."""
    length, end, kinds = file.stat().st_size, 0, list[bytes]()
    with file.open("rb") as stream:
        while end < length and len(kinds) <= MOST_BOXES:
            start = stream.seek(end)
            header = stream.read(16)
            size, kind = struct.unpack(">I4s", header[:8].ljust(8, b"\0"))
            kinds.append(kind)
            if size == 0:
                # The last box may leave its size open. Zeros behind the last box are padding, not a box.
                end = length
                break
            if size == 1 and len(header) == 16:
                (size,) = struct.unpack(">Q", header[8:])
            end = start + size if size >= 8 else length + 1
    _check_length(file, end)
    if len(kinds) > MOST_BOXES:
        raise CorruptVideo(f"{name_of(file)} is damaged: it has more than {MOST_BOXES:,} boxes.", AGAIN)
    missing = [kind.decode() for kind in (b"moov", b"mdat") if kind not in kinds]
    if missing:
        raise CorruptVideo(f"{name_of(file)} is incomplete: it has no {' and no '.join(missing)} box.", AGAIN)


def _end_of_matroska(head: bytes) -> int:
    """Where the file's segment ends, by what it says; where that begins if it does not, as in a recording going on."""
    size, start = _number(head, 4)
    segment = start + size
    if head[segment : segment + 4] != _SEGMENT:
        return 0
    size, start = _number(head, segment + 4)
    return start + size


def _number(head: bytes, place: int) -> tuple[int, int]:
    """A number whose first byte tells how many bytes it has, 0 if it is unknown, and the place behind it."""
    length = 9 - int.from_bytes(head[place : place + 1], "big").bit_length()
    unknown = (1 << 7 * length) - 1
    value = int.from_bytes(head[place : place + length], "big") & unknown
    return 0 if value == unknown else value, place + length
