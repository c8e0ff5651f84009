"""What is to be filmed: one accepted input with the schema's defaults filled in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from .sizes import SIZES, frame_count


@dataclass(frozen=True)
class Scene:
    """One video to make. Equal scenes give equal files."""

    text: str
    resolution: str
    ratio: str
    duration: int
    """Seconds."""
    seed: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return SIZES[self.resolution, self.ratio]

    @property
    def frame_count(self) -> int:
        """Frames, all of them shown for 1/24 s."""
        return frame_count(self.duration)

    @property
    def digest(self) -> str:
        """64 hex digits, the same for equal scenes; also a safe file name."""
        # ASCII, because the text may hold half a surrogate pair, which has no UTF-8.
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode("ascii")).hexdigest()
