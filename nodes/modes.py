"""Where a video comes from: the paid service, or the one inside this process that stands in for it."""

from __future__ import annotations

from typing import Final

LIVE: Final = "live"
REHEARSAL: Final = "rehearsal"
MODES: Final = (LIVE, REHEARSAL)
