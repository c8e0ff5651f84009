"""What an MP4's index announces, added up before FFmpeg reads it.

FFmpeg makes a row in memory of every sample that is announced, for which a single number is enough, and it does so for
boxes that stand where none of their kind belong. So all boxes count here, wherever FFmpeg would look into one.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from .boxes import MOST_BOXES, index_boxes, inside
from .errors import AGAIN, CorruptVideo, UnsupportedVideo
from .tracks import check_tracks

MOST_SAMPLES: Final = 4_000_000
"""In all tracks together: four hours of 60 frames a second with sound, twice over for an edit list. FFmpeg takes some
40 bytes for each."""
MOST_TRACKS: Final = 64
MOST_BOXES_IN_ALL: Final = 10 * MOST_BOXES
DEEPEST: Final = 16
"""Boxes inside boxes; FFmpeg gives up before."""

_HOLDING: Final = (
    *(b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl", b"mvex", b"moof", b"traf", b"tref", b"udta"),
    *(b"ilst", b"wave", b"schi"),
)
"""Kinds that FFmpeg looks into, beside `meta` and `stsd`."""
_UNREAD: Final = (b"cmov", b"hoov", b"sinf", b"iinf", b"iloc", b"iprp")
"""A compressed index, one that passes for free space, encryption, and still pictures."""
_MISPLACED: Final = re.compile(rb"stsz|stz2|stts|stsc|stco|co64|elst|hdlr|cmov|sinf|iinf|iloc|iprp")
"""What has no place in the description of a coding; FFmpeg would follow it there."""
_ROW: Final = {b"stts": 8, b"ctts": 8, b"stss": 4, b"stps": 4, b"stsc": 12, b"stco": 4, b"co64": 8}
"""Bytes of a row of each table; FFmpeg reads on behind the box for rows that are not in it."""
_SOUND_TABLES: Final = ({b"stts", b"stsz", b"stsc", b"stco"}, {b"stts", b"stsz", b"stsc", b"co64"})
_SOUND: Final = {b"soun", b"alis", b"url ", b"mdta", b"mdir"}
"""What handles a track of sound, its data and its remarks."""
_SHORTEST_PACKET: Final = 160
"""Samples of uncompressed sound that FFmpeg takes at a time."""


def check_index(file: Path) -> None:
    """Make sure that FFmpeg can open an MP4 file in little time and memory, whatever the file says.

    Raises:
        UnsupportedVideo: it is of a kind that is not read.
        CorruptVideo: its index is broken, or announces more than the file can hold.
    """
    length = file.stat().st_size
    try:
        announced, most = _announced(file), min(length, MOST_SAMPLES)
    except (struct.error, IndexError):
        raise CorruptVideo(f"The index of {file.name} is broken.", AGAIN) from None
    if announced > most:
        raise CorruptVideo(
            f"The index of {file.name} announces {announced:,} samples, and {most:,} are the most that is believed of "
            f"a file of {length:,} bytes.",
            "Use another file, or a shorter part of it.",
        )


def _announced(file: Path) -> int:
    """The number of rows that FFmpeg would make. Raises `struct.error` where the index is broken."""
    samples = fragments = 0
    edits = 1
    tracks = []
    boxes = chain.from_iterable(_boxes(kind, content) for kind, content in index_boxes(file))
    for number, (kind, content) in enumerate(boxes):
        if kind in (b"stsz", b"stz2"):
            samples += _number(content, 8)
        elif kind == b"trun":
            samples += _number(content, 4)
        elif kind == b"elst":
            edits = max(edits, (len(content) - 8) // 12)
        elif kind == b"moof":
            fragments += 1
        elif kind == b"sidx":
            fragments += _number(content, 28 if content[0] else 20) & 0xFFFF
        elif kind == b"trak":
            tracks.append(content)
        elif kind == b"moov":
            check_tracks(file, content)
        elif kind in _UNREAD:
            raise _unread(file, kind)
        elif kind == b"stsd" and (misplaced := _MISPLACED.search(content)):
            raise _unread(file, misplaced[0])
        elif kind in _ROW and 8 + _ROW[kind] * _number(content, 4) > len(content):
            raise struct.error("a table that ends early")
        if len(tracks) > MOST_TRACKS or number > MOST_BOXES_IN_ALL:
            raise struct.error("too many tracks or boxes")
    return (samples - sum(map(_spared, tracks))) * edits + fragments * len(tracks)


def _boxes(kind: bytes, content: memoryview, depth: int = 0) -> Iterator[tuple[bytes, memoryview]]:
    """A box and all those inside of it that FFmpeg would look at."""
    yield kind, content
    if kind == b"meta":
        # They start in different places, but always with the same one.
        handlers = (found.start() for found in re.finditer(b"hdlr", content))
        content = content[next((place - 4 for place in handlers if place and place % 4 == 0), len(content)) :]
    elif kind not in _HOLDING:
        return
    if depth < DEEPEST:
        for inner, found in inside(content):
            yield from _boxes(inner, found, depth + 1)


def _spared(track: memoryview) -> int:
    """How many of a track's samples FFmpeg makes no row of: uncompressed sound is taken many samples at a time."""
    handlers, tables = set(), {}
    for kind, content in _boxes(b"trak", track):
        if kind == b"hdlr":
            handlers.add(bytes(content[8:12]))
        elif kind in tables:
            return 0
        elif kind in (b"stts", b"stsz", b"stz2", b"stsc", b"stco", b"co64"):
            tables[kind] = content
    if b"soun" not in handlers or not handlers <= _SOUND or set(tables) not in _SOUND_TABLES:
        return 0
    chunks = tables.get(b"stco") or tables[b"co64"]
    times, sizes, runs = tables[b"stts"], tables[b"stsz"], tables[b"stsc"]
    if _number(times, 4) != 1 or _number(times, 12) != 1:  # one duration for all samples, of one tick
        return 0
    rows = struct.iter_unpack(">III", runs[8 : 8 + 12 * _number(runs, 4)])
    chunk, samples, _ = next(rows, (0, 0, 0))
    packets = 0
    if chunk != 1:
        return 0
    for first, following, _ in chain(rows, [(_number(chunks, 4) + 1, 0, 0)]):
        if first <= chunk:
            return 0
        packets += (first - chunk) * (samples // _SHORTEST_PACKET + 1)
        chunk, samples = first, following
    return _number(sizes, 8) - packets


def _number(box: memoryview, place: int) -> int:
    (number,) = struct.unpack_from(">I", box, place)
    return int(number)


def _unread(file: Path, kind: bytes) -> UnsupportedVideo:
    return UnsupportedVideo(
        f"{file.name} has a {kind.decode('latin-1')} box, which this node does not read.", "Convert it to an H.264 MP4."
    )
