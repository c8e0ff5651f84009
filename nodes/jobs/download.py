"""The videos of a job that succeeded, brought to disk through broken connections and expired links."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Final

from ..runcomfy.responses import MOST_VIDEOS, JobResult
from ..video.errors import Damaged, FetchBroken, LinkExpired, NotAVideo, VideoError
from ..video.mp4 import check_mp4
from .cancellation import Watch
from .errors import NoVideo, VideoUnavailable
from .events import Downloading
from .journal import Entry
from .poll import Follower
from .services import Means, record
from .states import State

RENEWALS: Final = 4
"""How often a new link is asked for before the video counts as unavailable."""


async def collect(means: Means, watch: Watch, follower: Follower, result: JobResult) -> Entry:
    """Fetch every video of a job that is not on disk yet, and write down that it is.

    Raises:
        NoVideo: the result holds no link.
        VideoUnavailable: a video could not be fetched.
        GenerationError: asking for new links failed.
    """
    entry = follower.entry
    if not result.videos:
        raise NoVideo(entry.request_id)
    names = file_names(entry.request_id, len(result.videos))
    for number, name in enumerate(names):
        if not await watch.result(means.workers.record(is_intact, means.folder / name)):
            result = await _fetch(means, watch, follower, result, number, means.folder / name)
    saved = replace(entry, files=names)
    return await watch.result(means.workers.record(record, means, watch.show, saved, State.SAVED))


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
    means: Means, watch: Watch, follower: Follower, result: JobResult, number: int, target: Path
) -> JobResult:
    """Fetch one video. Returns the result whose links are valid now."""
    request_id = follower.entry.request_id
    await watch.result(means.workers.record(_sweep, target))
    download = means.open_download(target)
    renewals = 0

    def progress(received: int, total: int | None) -> None:
        watch.show(Downloading(received, total))

    try:
        while True:
            attempt = means.workers.download(download.attempt, result.videos[number], progress, watch.is_over)
            before = download.received
            try:
                await watch.result(attempt)
            except FetchBroken as error:
                if download.received > before:
                    follower.progressed()
                await follower.pause_after(error.what)
            except (LinkExpired, NotAVideo, Damaged) as error:
                renewals += 1
                if renewals > RENEWALS:
                    raise VideoUnavailable(error.what, request_id) from error
                await follower.pause_after(error.what)
                result = await follower.result()
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
    """Remove what a killed run left of this file. Nobody else is fetching it, since this run has the lease."""
    with suppress(OSError):
        for left in target.parent.glob(f".{target.name}.*.part"):
            left.unlink(missing_ok=True)
