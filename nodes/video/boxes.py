"""The boxes that an MP4 file is made of (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

MOST_BOXES: Final = 100_000
"""Beside each other; a file of nothing but tiny ones would take minutes."""


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


def children(box: memoryview, kind: bytes) -> Iterator[memoryview]:
    """The content of every box of one kind directly inside ``box``. Raises `struct.error` where there are too many."""
    start = 0
    for _ in range(MOST_BOXES):
        if start + 8 > len(box):
            return
        size, found = struct.unpack_from(">I4s", box, start)
        head = 8
        if size == 1 and start + 16 <= len(box):
            size, head = struct.unpack_from(">Q", box, start + 8)[0], 16
        elif size == 0:
            size = len(box) - start
        if size < head:
            return
        if found == kind:
            yield box[start + head : start + size]
        start += size
    raise struct.error("too many boxes")


def child(box: memoryview, *path: bytes) -> memoryview | None:
    """The content of the first box at the end of a path of kinds."""
    for kind in path:
        found = next(children(box, kind), None)
        if found is None:
            return None
        box = found
    return box
