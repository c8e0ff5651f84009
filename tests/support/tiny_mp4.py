"""Boxes of ISO/IEC 14496-12, which MP4 files are made of, and the smallest file that passes for a whole one."""

from __future__ import annotations

import struct
from typing import Final


def box(kind: bytes, content: bytes = b"", *, large: bool = False, size: int | None = None) -> bytes:
    """One box; ``large`` gives it a size of 64 bits, and ``size`` states another than the true one."""
    if large:
        return struct.pack(">I4sQ", 1, kind, len(content) + 16 if size is None else size) + content
    return struct.pack(">I4s", len(content) + 8 if size is None else size, kind) + content


TINY_MP4: Final = box(b"ftyp", b"isom") + box(b"moov", bytes(20)) + box(b"mdat", bytes(300))
"""Its boxes are all there, its frames are not."""
