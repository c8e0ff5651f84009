"""How many frames an MP4's index announces, and its edit list leaves to be shown."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Final

from .boxes import child, children, index_boxes
from .tracks import is_video

MOST_FRAMES: Final = 1_000_000
"""More than any file within the size limit can hold; a table that says so is not believed."""
MOST_EDITS: Final = 1000
"""As above."""


def shown_frames(file: Path) -> int | None:
    """The number of frames to be shown; None where the index does not tell, or contradicts itself."""
    try:
        moov = next((content for kind, content in index_boxes(file) if kind == b"moov"), None)
        if moov is None:
            return None
        return next((_shown(moov, track) for track in children(moov, b"trak") if is_video(track)), None)
    except (struct.error, IndexError):
        return None


def _shown(moov: memoryview, track: memoryview) -> int | None:
    edits = child(track, b"edts", b"elst")
    table = child(track, b"mdia", b"minf", b"stbl")
    movie, media = child(moov, b"mvhd"), child(track, b"mdia", b"mdhd")
    if table is None or movie is None or media is None:
        return None
    times = _presentation_times(table, _duration(media))
    if edits is None or not times:
        return len(times) or None
    ticks = _timescale(media) / max(_timescale(movie), 1)
    times.sort()
    spans = [(start, start + round(length * ticks)) for length, start in _edits(edits) if start >= 0]
    return sum(bisect_left(times, end) - bisect_left(times, start) for start, end in spans)


def _timescale(header: memoryview) -> int:
    """Ticks a second of a movie's or a track's header, whose version 1 has longer dates."""
    (ticks,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
    return int(ticks)


def _duration(header: memoryview) -> int:
    """Ticks in all of a track's header."""
    form, place = (">Q", 24) if header[0] == 1 else (">I", 16)
    (ticks,) = struct.unpack_from(form, header, place)
    return int(ticks)


def _edits(box: memoryview) -> Iterator[tuple[int, int]]:
    """Length in ticks of the movie and start in ticks of the track; a start of -1 is a pause."""
    form = ">QqI" if box[0] == 1 else ">IiI"
    if _count(box) > MOST_EDITS:
        raise struct.error("too many edits")
    for number in range(_count(box)):
        length, start, _ = struct.unpack_from(form, box, 8 + number * struct.calcsize(form))
        yield length, start


def _presentation_times(table: memoryview, total: int) -> list[int]:
    """When each frame is due, in ticks of the track, in the order of the file.

    Empty where that is not told, or where the frames' durations are not the ``total`` that the track claims.
    """
    stts = child(table, b"stts")
    durations = list(_runs(stts, ">II")) if stts else []
    # Whether the last frame's duration counts is a matter of taste.
    if not durations or abs(sum(durations) - total) > durations[-1]:
        return []
    decoded = list(accumulate(durations, initial=0))[:-1]
    offsets = child(table, b"ctts")
    if offsets is None:
        return decoded
    shifts = list(_runs(offsets, ">Ii"))
    return [time + shift for time, shift in zip(decoded, shifts, strict=True)] if len(shifts) == len(decoded) else []


def _runs(box: memoryview, form: str) -> Iterator[int]:
    """The values of a run-length coded table."""
    left = MOST_FRAMES
    for number in range(_count(box)):
        count, value = struct.unpack_from(form, box, 8 + number * 8)
        left -= count
        if left < 0:
            raise struct.error("too many frames")
        yield from [value] * count


def _count(box: memoryview) -> int:
    (count,) = struct.unpack_from(">I", box, 4)
    return int(count)
