"""Every way in which a video can fail to become frames.

VideoError
├── UnsafeUrl               a link that may not be followed
├── DownloadFailed          it could not be fetched
│   ├── DownloadInterrupted     but trying again may help
│   │   └── HostUnreachable         its server was not even connected to
│   └── LinkExpired             but a new link to the same video may help
├── DiskFailure             the disk does not take it
├── UnsupportedVideo        what is there is not a video, or of a kind that is not read
├── CorruptVideo            an incomplete or broken video
├── NothingSelected         the frame controls leave no frame
├── NotEnoughMemory         its frames would not fit
└── UnsupportedUpscale      a model or a size that cannot be
"""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Final

from ..errors import SeedanceError

AGAIN: Final = (
    "Copy or download it again. The video of a job is fetched again, for free, when its graph runs and the file has "
    "been moved out of output/seedance."
)
"""What to do about a damaged video."""


class VideoError(SeedanceError):
    """A video that did not arrive or could not be read."""


class UnsafeUrl(VideoError):
    """A link that leads to a place where a workflow must not reach."""


class DownloadFailed(VideoError):
    """The server does not hand the video out."""


class DownloadInterrupted(DownloadFailed):
    """The transfer broke off; what arrived is kept for the next attempt."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The video could not be downloaded ({reason}).", "Check the network and run again.")


class HostUnreachable(DownloadInterrupted):
    """No connection to the server: a name that is not known, say. A link that somebody typed is most likely wrong."""

    def __init__(self, reason: str) -> None:
        super(DownloadInterrupted, self).__init__(
            f"The server of the video could not be reached ({reason}).",
            "Check the link and the network, and run again.",
        )


class LinkExpired(DownloadFailed):
    """The link is no longer, or not yet, good."""

    def __init__(self, status: int) -> None:
        super().__init__(
            f"The link to the video is not valid any more (HTTP {status}).",
            "Run again: a finished Seedance job gets a new link as long as RunComfy still has it.",
        )


class DiskFailure(VideoError):
    """The disk is full, or does not allow writing or renaming."""


class UnsupportedVideo(VideoError):
    """Not a video, or of a kind that is not read."""


class CorruptVideo(VideoError):
    """A video of which a part is missing or broken."""


class NothingSelected(VideoError):
    """No frame is left after the frame controls."""


class NotEnoughMemory(VideoError):
    """The frames would not fit into the memory that is left."""


class UnsupportedUpscale(VideoError):
    """What is asked of an upscaler cannot be: the model is of another kind, or the size not one of a video."""


def name_of(file: Path) -> str:
    """What a user calls a file: an unfinished download by the name that it is to get."""
    return re.sub(r"^\.(.+)\.[0-9a-f]{8}\.part$", r"\1", file.name)


def cannot_open(file: Path, error: OSError) -> VideoError:
    """The error for a file that the system does not let be read."""
    if isinstance(error, FileNotFoundError):
        return UnsupportedVideo(f"The video {file} is not there any more.", "Bring its drive back, or choose another.")
    return VideoError(
        f"{file} cannot be read just now ({error.strerror or type(error).__name__}).",
        "Bring its drive back, make it readable, or close what may have it open; then run again.",
    )


def breaks_off(file: Path, frames: int) -> CorruptVideo:
    """The error for a file of which only so many frames can be read."""
    return CorruptVideo(f"{file.name} breaks off after {frames} frames.", AGAIN)


def size_changes(file: Path, frame: int) -> CorruptVideo:
    """The error for a file whose pictures are not all of one size."""
    return CorruptVideo(f"The size of the picture changes at frame {frame} of {file.name}.", "Use another file.")


def unreadable(file: Path) -> UnsupportedVideo:
    """The error for a file of another format, or with nothing in it that could be shown."""
    return UnsupportedVideo(f"{file.name} is not a video that this node can read.", "Use an H.264 MP4.")


def disk_error(error: OSError, target: Path) -> DiskFailure:
    """The error for a video that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFailure("There is no space left for the video.", f"Free some in {target.parent} and run again.")
    return DiskFailure(
        f"The video cannot be written ({error.strerror}).", f"Make {target.parent} writable and run again."
    )
