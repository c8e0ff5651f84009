"""The smallest file that passes for a whole MP4: its boxes are all there, its frames are not."""

from __future__ import annotations

from typing import Final

from tests.support.mp4_boxes import box

TINY_MP4: Final = box(b"ftyp", b"isom") + box(b"moov", bytes(20)) + box(b"mdat", bytes(300))
