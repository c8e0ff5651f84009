"""Whether an MP4 file is complete, told from its boxes (ISO/IEC 14496-12) in under a millisecond."""

from __future__ import annotations

import struct
from pathlib import Path

from .boxes import top_level
from .errors import AGAIN, CorruptVideo, UnsupportedVideo, incomplete


def is_mp4(file: Path) -> bool:
    """Whether a file starts as MP4 and QuickTime files do."""
    with file.open("rb") as stream:
        return stream.read(8)[4:] == b"ftyp"


def check_mp4(file: Path) -> None:
    """Make sure that a file is an MP4 of which nothing is missing at the end.

    Raises:
        UnsupportedVideo: it does not start with an `ftyp` box.
        CorruptVideo: a box reaches beyond the end of the file, or a needed one is missing, or there are absurdly many.
    """
    if not is_mp4(file):
        raise UnsupportedVideo(f"{file.name} is not an MP4 video.", "Use an MP4 file.")
    length = file.stat().st_size
    kinds = set()
    with file.open("rb") as stream:
        try:
            for kind, end in top_level(stream, length):
                if end > length:
                    raise incomplete(file, length, end)
                kinds.add(kind)
        except struct.error:
            raise CorruptVideo(f"{file.name} is broken into too many pieces.", AGAIN) from None
    missing = [kind.decode() for kind in (b"moov", b"mdat") if kind not in kinds]
    if missing:
        raise CorruptVideo(f"{file.name} is incomplete: it has no {' and no '.join(missing)} box.", AGAIN)
