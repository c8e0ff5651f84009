"""Every way in which a video can fail to become frames. One that no code distinguishes is a `VideoError`.

VideoError
├── UnsafeUrl               a link that leads to a place where a workflow must not reach
├── DownloadInterrupted     the transfer broke off; what arrived is kept for the next attempt
│   └── HostUnreachable         its server was not even connected to
├── LinkExpired             a new link to the same video may help
├── DiskFailure             the disk is full, or does not allow writing or renaming
├── UnsupportedVideo        not a video, or of a kind that is not read
└── CorruptVideo            a part of the video is missing or broken
"""

from __future__ import annotations

import errno
import re
from pathlib import Path

from ..errors import Charge, SeedanceError
from ..texts import Text


class VideoError(SeedanceError):
    """A video that did not arrive or could not be read or written."""


class UnsafeUrl(VideoError): ...


class DownloadInterrupted(VideoError):
    def __init__(self, reason: str, key: str = "video.interrupted") -> None:
        super().__init__(key, reason=reason)


class HostUnreachable(DownloadInterrupted):
    """No connection to the server, for example to an unknown name: a link that somebody typed is most likely wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, "video.unreachable")


class LinkExpired(VideoError):
    def __init__(self, status: int) -> None:
        super().__init__("video.linkExpired", status=status)


class DiskFailure(VideoError): ...


class UnsupportedVideo(VideoError): ...


class CorruptVideo(VideoError):
    def __init__(self, key: str, **values: str | int) -> None:
        super().__init__(key, Text("errors.video.again"), charge=Charge.NO_MATTER, request_id=None, **values)


def name_of(file: Path) -> str:
    """A file's name for messages; for an unfinished download, the name that it will get."""
    return re.sub(r"^\.(.+)\.[0-9a-f]{8}\.part$", r"\1", file.name)


def cannot_open(file: Path, error: OSError) -> VideoError:
    if isinstance(error, FileNotFoundError):
        return UnsupportedVideo("video.gone", file=str(file))
    return VideoError("video.unreadableNow", file=str(file), reason=error.strerror or type(error).__name__)


def disk_error(error: OSError, target: Path) -> DiskFailure:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFailure("video.diskFull", folder=str(target.parent))
    return DiskFailure("video.notWritable", folder=str(target.parent), reason=str(error.strerror))
