"""The smallest file that passes for a whole MP4: its boxes are all there, its frames are not."""

from __future__ import annotations

import struct
from typing import Final


def box(kind: bytes, content: bytes = b"") -> bytes:
    """One box of ISO/IEC 14496-12."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


TINY_MP4: Final = box(b"ftyp", b"isom") + box(b"moov", bytes(20)) + box(b"mdat", bytes(300))
