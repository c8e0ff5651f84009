"""What kind of video a file is, and whether it is complete, by its first bytes and its parts; and the part with the
workflow that made a video: dropped into ComfyUI, the file brings the graph back.

FFmpeg is told the format. By itself it guesses from the content, whatever the name says, and some contents are lists of
other files: a playlist uploaded as a video would show the frames of any video on this machine.
"""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from .errors import CorruptVideo, UnsupportedVideo, cannot_open, name_of

MAX_BOXES: Final = 100_000
"""At the top level. A file of nothing but tiny boxes would take minutes."""
_FIRST_BOXES: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""Boxes that an MP4 or QuickTime file may begin with; old QuickTime files have no `ftyp`."""
_EBML, _SEGMENT, _CLUSTER = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"

_log: Final = logging.getLogger("seedance")

Part = tuple[bytes, int | None]
"""The kind of a part of a file, and the bytes from its start to the next part; None if no other is looked for."""


def check_mp4(file: Path) -> None:
    """Make sure that a file is an MP4 with nothing missing at its end. Takes less than a millisecond.

    A fragmented one that was cut exactly between two fragments passes: nothing in it says how many there are. Raises
    `UnsupportedVideo`, `CorruptVideo`, also for absurdly many boxes, or OSError.
    """
    if _head(file)[4:8] != b"ftyp":
        raise UnsupportedVideo("video.notMp4", name=name_of(file))
    _check_boxes(file)


def format_of(file: Path) -> str:
    """FFmpeg's name for the format of a file: `mov` for MP4 as well, `matroska` for WebM as well, or `avi`.

    A recording that is still running, or was written into a pipe, does not say how long it is. It is incomplete if one
    of its parts is; cut exactly between two parts, it passes. Raises as `check_mp4` does, but `VideoError` in place of
    OSError.
    """
    try:
        head = _head(file)
    except OSError as error:
        raise cannot_open(file, error) from None
    if head[4:8] in _FIRST_BOXES:
        _check_boxes(file)
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        _walk(file, _read_chunk, align=2)
        return "avi"
    if head[:4] == _EBML:
        _walk(file, _read_element)
        return "matroska"
    raise UnsupportedVideo("video.unsupported", name=file.name)


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(12)


def _check_boxes(file: Path) -> None:
    """Make sure that a file of boxes (ISO/IEC 14496-12) has an index and pictures, the last fragment too."""
    kinds = _walk(file, _read_box)
    if len(kinds) > MAX_BOXES:
        raise CorruptVideo("video.tooManyBoxes", name=name_of(file), most=f"{MAX_BOXES:,}")
    missing = [kind.decode() for kind in (b"moov", b"mdat") if kind not in kinds]
    if [kind for kind in kinds if kind in (b"moof", b"mdat")][-1:] == [b"moof"]:
        missing = ["mdat"]
    if missing:
        raise CorruptVideo("video.noBox", name=name_of(file), boxes="/".join(missing))


def _walk(file: Path, read_part: Callable[[bytes], Part], align: int = 1) -> list[bytes]:
    """The kinds of a file's parts in order, of at most `MAX_BOXES` + 1 parts.

    ``read_part`` is given the first 16 bytes of a part; parts begin at multiples of ``align``. Raises
    `CorruptVideo` if the last one is cut off.
    """
    length, start, end, kinds = file.stat().st_size, 0, 0, list[bytes]()
    with file.open("rb") as stream:
        while start < length and len(kinds) <= MAX_BOXES:
            stream.seek(start)
            kind, size = read_part(stream.read(16))
            kinds.append(kind)
            if size is None:
                break
            end = start + size
            start = end + -end % align
    if end > length:
        raise CorruptVideo("video.cut", name=name_of(file), length=f"{length:,}", expected=f"{end:,}")
    return kinds


def _read_box(head: bytes) -> Part:
    size, kind = struct.unpack(">I4s", head[:8].ljust(8, b"\0"))
    if size == 0:
        return kind, None  # The last box may leave its size open. Zeros behind the last box are padding, not a box.
    if size == 1 and len(head) == 16:
        (size,) = struct.unpack(">Q", head[8:])
    return kind, size if size >= 8 else 2**64  # not a valid size: counts as cut off


def _read_chunk(head: bytes) -> Part:
    kind, size = head[:4], int.from_bytes(head[4:8], "little")
    if kind in (b"RIFF", b"LIST") and size in (0, 0xFFFFFFFF):
        return kind, 12  # of unknown size: go on with the chunks in it
    return kind, 8 + size if kind.isalnum() else None


def _read_element(head: bytes) -> Part:
    length = 9 - head[0].bit_length()
    kind, (size, place) = head[:length], _read_number(head, length)
    if size is None:  # go on with the elements in it
        return kind, place if kind in (_SEGMENT, _CLUSTER) else None
    return kind, place + size if length <= 4 else None


def _read_number(head: bytes, place: int) -> tuple[int | None, int]:
    """A number whose first byte says how many bytes it has, None if it is unknown, and the place behind it."""
    length = 9 - int.from_bytes(head[place : place + 1], "big").bit_length()
    unknown = (1 << 7 * length) - 1
    value = int.from_bytes(head[place : place + length], "big") & unknown
    return None if value == unknown else value, place + length


def metadata_box(metadata: Mapping[str, object]) -> bytes:
    """Metadata as JSON, in the box that FFmpeg would write into an MP4's `moov`. Behind that, at the end of the file,
    it changes nothing else in it, and ComfyUI's UI finds it there as well.

    Empty if there is none, or if `json` does not take it: a workflow may hold anything.
    """
    try:
        return _user_data({f"{name}": json.dumps(value) for name, value in metadata.items()}) if metadata else b""
    except (TypeError, ValueError, RecursionError) as error:
        _log.warning("Seedance: the workflow is not written into the video (%s).", error)
        return b""


def _user_data(values: Mapping[str, str]) -> bytes:
    """A box of names and texts, by QuickTime's specification of metadata."""
    handler = _make_box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    keys = b"".join(_make_box(b"mdta", name.encode(errors="replace")) for name in values)
    texts = (_make_box(b"data", struct.pack(">II", 1, 0) + text.encode()) for text in values.values())  # 1: UTF-8
    items = b"".join(_make_box(struct.pack(">I", number), text) for number, text in enumerate(texts, 1))
    listed = _make_box(b"keys", struct.pack(">II", 0, len(values)) + keys) + _make_box(b"ilst", items)
    return _make_box(b"udta", _make_box(b"meta", bytes(4) + handler + listed))


def _make_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content
