"""Videos brought to disk through broken connections and expired links: of a job that succeeded, or of a link."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..errors import StopRequested
from ..files import remove, replace
from ..runcomfy.responses import JobResult
from ..video.download import Download
from ..video.errors import (
    CorruptVideo,
    DownloadInterrupted,
    HostUnreachable,
    LinkExpired,
    NoSpace,
    NotRenamed,
    UnsupportedVideo,
    VideoError,
)
from .cancellation import Cancellation
from .errors import NoVideo, Stopped, VideoUnavailable
from .events import Downloading, Retrying, StopOutcome
from .executors import Executors
from .job_files import file_names, is_whole
from .poll import Poller
from .records import JobRecord
from .retry import Backoff
from .services import Services
from .states import State

MAX_LINK_REFRESHES: Final = 4
"""How often a new link is asked for before the video counts as unavailable."""


async def download_videos(
    services: Services, cancellation: Cancellation, poller: Poller, result: JobResult
) -> JobRecord:
    """Fetch every video of a job that is not on disk yet, and write down that it is.

    Raises:
        NoVideo: the result holds no link.
        VideoUnavailable: a video could not be fetched.
        JobError: asking for new links failed.
    """
    record = poller.record
    if not result.videos:
        raise NoVideo(record.request_id)
    names = file_names(record.request_id, len(result.videos))
    for number, name in enumerate(names):
        target = services.folder / name
        if not await cancellation.wait_for(services.executors.journal.submit(_is_there, target)):
            result = await _download(services, cancellation, poller, result, number, target)
    writing = services.executors.journal.submit(
        services.transition, cancellation.report, record, State.SAVED, files=names
    )
    return await cancellation.wait_for(writing)


async def _download(
    services: Services, cancellation: Cancellation, poller: Poller, result: JobResult, number: int, target: Path
) -> JobResult:
    """Fetch one video. Returns the result whose links are valid now."""
    request_id = poller.record.request_id
    download = services.open_download(target)
    refreshes = 0

    def progress(received: int, total: int | None) -> None:
        cancellation.report(Downloading(received, total))

    try:
        while True:
            attempt = services.executors.downloads.submit(
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
                refreshes += 1
                if refreshes > MAX_LINK_REFRESHES:
                    raise VideoUnavailable(error.message, request_id) from error
                await poller.pause_after(error.message)
                result = await poller.result()
                if len(result.videos) <= number:
                    raise NoVideo(request_id) from error
            except (NoSpace, NotRenamed) as error:
                raise VideoUnavailable(error.message, request_id, error.advice) from error
            except VideoError as error:
                # Its own advice is for somebody who chose the link.
                first = "Check the proxy, VPN and DNS of this machine."
                raise VideoUnavailable(error.message, request_id, first) from error
            else:
                return result
    finally:
        # A cut-off attempt still writes until it sees the Stop signal; its part file goes when it ends.
        attempt.add_done_callback(lambda _: download.discard())


def _is_there(target: Path) -> bool:
    """Whether a video is on disk. What a killed run left of it is given its name if it is whole, and else removed:
    nobody else is fetching it, since this run has the claim."""
    if is_whole(target):
        return True
    with suppress(OSError):  # a folder that cannot be listed just now, or a file that is held
        for left in target.parent.glob(f".{target.name}.*.part"):
            replace(left, target) if is_whole(left) else remove(left)
    return is_whole(target)


ATTEMPTS: Final = 5


async def download_link(
    link: str, download: Download, executors: Executors, cancellation: Cancellation, backoff: Backoff
) -> Path:
    """Fetch a video unless it is on disk already. Raises `VideoError` or `Stopped`."""

    def progress(received: int, total: int | None) -> None:
        cancellation.report(Downloading(received, total))

    attempt: Future[None] | None = None
    try:
        if await cancellation.wait_for(executors.journal.submit(is_whole, download.target)):
            return download.target
        while True:
            attempt = executors.downloads.submit(download.attempt, link, progress, cancellation.is_cancelled)
            try:
                await cancellation.wait_for(attempt)
            except HostUnreachable:
                raise  # most likely the link is wrong, of which whoever typed it wants to hear at once
            except DownloadInterrupted as error:
                if backoff.failures >= ATTEMPTS:
                    raise
                pause = backoff.pause()
                cancellation.report(Retrying(error.message, pause))
                await cancellation.sleep(pause)
            else:
                return download.target
    except StopRequested:
        raise Stopped("Stopped while downloading.", StopOutcome.NOT_SUBMITTED) from None
    finally:
        if attempt:
            attempt.add_done_callback(lambda _: download.discard())
