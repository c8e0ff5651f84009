"""The boxes that an MP4 file is made of (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

MOST_BOXES: Final = 100_000
"""Beside each other; a file of nothing but tiny ones would take minutes."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the boxes that are read; more than the index of any video has."""
DATA: Final = (b"mdat", b"free", b"skip", b"wide", b"uuid", bytes(4))
"""Kinds that hold no part of an index, the last one being padding; no reader looks for boxes in them."""


def index_boxes(file: Path) -> Iterator[tuple[bytes, memoryview]]:
    """The kind and the content of every box of a file that may hold a part of its index.

    Raises:
        struct.error: there are too many, or they are too large.
    """
    length, left, start = file.stat().st_size, MOST_BYTES, 0
    with file.open("rb") as stream:
        for kind, end in top_level(stream, length):
            if kind not in DATA:
                left -= end - start
                if left < 0:
                    raise struct.error("too large an index")
                stream.seek(start)
                yield from inside(memoryview(stream.read(end - start)))
            start = end


def top_level(stream: BinaryIO, length: int) -> Iterator[tuple[bytes, int]]:
    """The kind and the end offset of every box of a file of ``length`` bytes; a broken one ends beyond the file.

    Raises:
        struct.error: there are too many.
    """
    start = 0
    for _ in range(MOST_BOXES):
        if start >= length:
            return
        stream.seek(start)
        header = stream.read(16)
        size, kind = struct.unpack(">I4s", header[:8].ljust(8, b"\0"))
        if size == 1 and len(header) == 16:
            size = struct.unpack(">Q", header[8:])[0]
        elif size == 0:
            # The last box may leave its size open. Zeros behind the last box are padding, not a box.
            yield kind, length
            return
        if size < 8:
            yield kind, start + 8 if len(header) < 8 else length + 1
            return
        start += size
        yield kind, start
    raise struct.error("too many boxes")


def inside(box: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The kind and the content of every box directly inside ``box``; one that is too long ends with it.

    Raises:
        struct.error: there are too many.
    """
    start = 0
    for _ in range(MOST_BOXES):
        if start + 8 > len(box):
            return
        size, kind = struct.unpack_from(">I4s", box, start)
        head = 8
        if size == 1 and start + 16 <= len(box):
            size, head = struct.unpack_from(">Q", box, start + 8)[0], 16
        elif size == 0:
            size = len(box) - start
        if size < head:
            return
        yield kind, box[start + head : start + size]
        start += size
    raise struct.error("too many boxes")


def children(box: memoryview, kind: bytes) -> Iterator[memoryview]:
    """The content of every box of one kind directly inside ``box``. Raises `struct.error` where there are too many."""
    return (content for found, content in inside(box) if found == kind)


def child(box: memoryview, *path: bytes) -> memoryview | None:
    """The content of the first box at the end of a path of kinds."""
    for kind in path:
        found = next(children(box, kind), None)
        if found is None:
            return None
        box = found
    return box
