"""What the output folder has of a job's videos."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

from ..files import is_missing
from ..runcomfy.responses import MAX_VIDEOS
from ..video.errors import VideoError
from ..video.file_format import check_mp4
from .decide import Disk
from .records import JobRecord


def file_names(request_id: str, count: int) -> tuple[str, ...]:
    """`id.mp4`, `id-2.mp4`, ..."""
    return tuple(f"{request_id}.mp4" if number == 1 else f"{request_id}-{number}.mp4" for number in range(1, count + 1))


def request_id_of(file: Path) -> str:
    """The job whose video is in a file of such a name."""
    # The id itself is a UUID, whose last group is longer.
    return re.sub(r"-([2-9]|1[0-6])$", "", file.stem)


def files_of(request_id: str, folder: Path) -> tuple[Path, ...]:
    """The videos of a job that are on disk, whole, from the first on."""
    files = (folder / name for name in file_names(request_id, MAX_VIDEOS))
    return tuple(takewhile(is_whole, files))


def is_whole(file: Path) -> bool:
    """Whether a whole video is there."""
    try:
        check_mp4(file)
    except (VideoError, OSError):
        return False
    return True


def paths_of(record: JobRecord, folder: Path) -> tuple[Path, ...]:
    """Where a job's videos are, or would be."""
    if record.files:
        return tuple(folder / name for name in record.files)
    return files_of(record.request_id, folder) or (folder / f"{record.request_id}.mp4",)


def disk_state(record: JobRecord, folder: Path) -> Disk:
    """Whether a job's videos are there. Blocks."""
    if not record.request_id:
        return Disk.MISSING
    return max((_state(path) for path in paths_of(record, folder)), key=list(Disk).index)


def _state(file: Path) -> Disk:
    try:
        check_mp4(file)
    except VideoError:
        return Disk.MISSING
    except OSError:
        return Disk.MISSING if is_missing(file) else Disk.UNREADABLE
    return Disk.WHOLE
