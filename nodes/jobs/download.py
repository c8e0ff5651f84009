"""The videos of a job that succeeded, brought to disk through broken connections and expired links."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Final

from ..runcomfy.responses import MOST_VIDEOS, JobResult
from ..video.errors import CorruptVideo, DownloadInterrupted, LinkExpired, UnsupportedVideo, VideoError
from ..video.mp4 import check_mp4
from .cancellation import Cancellation
from .errors import NoVideo, VideoUnavailable
from .events import Downloading
from .journal import JobRecord
from .poll import Poller
from .services import Services, record
from .states import State

MAX_LINK_REFRESHES: Final = 4
"""How often a new link is asked for before the video counts as unavailable."""


async def collect(services: Services, cancellation: Cancellation, poller: Poller, result: JobResult) -> JobRecord:
    """Fetch every video of a job that is not on disk yet, and write down that it is.

    Raises:
        NoVideo: the result holds no link.
        VideoUnavailable: a video could not be fetched.
        JobError: asking for new links failed.
    """
    entry = poller.entry
    if not result.videos:
        raise NoVideo(entry.request_id)
    names = file_names(entry.request_id, len(result.videos))
    for number, name in enumerate(names):
        if not await cancellation.wait_for(services.executors.record(is_intact, services.folder / name)):
            result = await _fetch(services, cancellation, poller, result, number, services.folder / name)
    saved = replace(entry, files=names)
    return await cancellation.wait_for(
        services.executors.record(record, services, cancellation.report, saved, State.SAVED)
    )


def file_names(request_id: str, count: int) -> tuple[str, ...]:
    """`id.mp4`, `id-2.mp4`, ..."""
    return tuple(f"{request_id}.mp4" if number == 1 else f"{request_id}-{number}.mp4" for number in range(1, count + 1))


def files_of(request_id: str, folder: Path) -> tuple[Path, ...]:
    """The videos of a job that are on disk, whole, from the first on."""
    files = (folder / name for name in file_names(request_id, MOST_VIDEOS))
    return tuple(takewhile(is_intact, files))


def is_intact(file: Path) -> bool:
    """Whether a whole video is there."""
    try:
        check_mp4(file)
    except (VideoError, OSError):
        return False
    return True


async def _fetch(
    services: Services, cancellation: Cancellation, poller: Poller, result: JobResult, number: int, target: Path
) -> JobResult:
    """Fetch one video. Returns the result whose links are valid now."""
    request_id = poller.entry.request_id
    await cancellation.wait_for(services.executors.record(_sweep, target))
    download = services.open_download(target)
    renewals = 0

    def progress(received: int, total: int | None) -> None:
        cancellation.report(Downloading(received, total))

    try:
        while True:
            attempt = services.executors.download(
                download.attempt, result.videos[number], progress, cancellation.is_cancelled
            )
            before = download.received
            try:
                await cancellation.wait_for(attempt)
            except DownloadInterrupted as error:
                if download.received > before:
                    poller.progressed()
                await poller.pause_after(error.message)
            except (LinkExpired, UnsupportedVideo, CorruptVideo) as error:
                renewals += 1
                if renewals > MAX_LINK_REFRESHES:
                    raise VideoUnavailable(error.message, request_id) from error
                await poller.pause_after(error.message)
                result = await poller.result()
                if len(result.videos) <= number:
                    raise NoVideo(request_id) from error
            except VideoError as error:
                raise VideoUnavailable(str(error), request_id) from error
            else:
                return result
    finally:
        # A cut-off attempt still writes until it sees the Stop signal; its part file goes when it ends.
        attempt.add_done_callback(lambda _: download.discard())


def _sweep(target: Path) -> None:
    """Remove what a killed run left unfinished of this file. Nobody else is fetching it: this run has the lease."""
    with suppress(OSError):
        for left in target.parent.glob(f".{target.name}.*.part"):
            if not is_intact(left):
                left.unlink(missing_ok=True)
