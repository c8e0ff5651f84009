"""Videos on disk: which are there, and how they get there through broken connections and expired links."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from itertools import count, takewhile
from pathlib import Path
from typing import Final

from ..errors import StopRequested
from ..files import is_missing, remove
from ..files import replace as rename
from ..runcomfy.responses import JobResult
from ..texts import Text
from ..video.download import Download
from ..video.errors import (
    CorruptVideo,
    DiskFailure,
    DownloadInterrupted,
    HostUnreachable,
    LinkExpired,
    UnsupportedVideo,
    VideoError,
)
from ..video.file_format import check_mp4
from .decide import Disk
from .errors import JournalUnusable, NoVideo, Stopped, VideoUnavailable
from .events import Downloading, Retrying, StopOutcome, StopReport
from .file_names import file_names, find_videos
from .job import NO_JOB, Job
from .journal import Journal
from .poll import Poller
from .records import JobRecord
from .waiting import Backoff, Cancellation, Executors

MAX_LINK_REFRESHES: Final = 4
"""How often a new link is asked for before the video counts as unavailable."""
LINK_ATTEMPTS: Final = 5
"""At a link of the user's."""

Recover = Callable[[VideoError, bool], Awaitable[str]]
"""Given what an attempt failed with and whether it brought something: waits, and returns the link for the next attempt;
or raises."""


def is_whole(file: Path) -> bool:
    """Whether a whole video is there."""
    return _state(file) is Disk.WHOLE


def whole_files(request_id: str, folder: Path, journal: Journal) -> tuple[Path, ...]:
    """The videos of a job if they are on disk, whole. Blocks; a journal that cannot be read hides none of them."""
    record = None
    with suppress(JournalUnusable):
        record = journal.job(request_id)
    state, paths = look_on_disk(record or replace(NO_JOB, request_id=request_id), folder)
    return paths if state is Disk.WHOLE else ()


async def find_files(
    request_id: str, folder: Path, journal: Journal, executors: Executors, cancellation: Cancellation
) -> tuple[Path, ...]:
    """As `whole_files`, for the event loop. Raises `Stopped`, whatever the journal is waiting for."""
    try:
        return await cancellation.wait_for(executors.journal.submit(whole_files, request_id, folder, journal))
    except StopRequested:
        raise Stopped(StopReport((Text("stoppedLooking"),), StopOutcome.NOT_SUBMITTED)) from None


def look_on_disk(record: JobRecord, folder: Path) -> tuple[Disk, tuple[Path, ...]]:
    """Whether all of a job's videos are there, and where they are, or would be. Blocks."""
    expected = tuple(folder / name for name in file_names(record, max(1, len(record.files)), 0))
    if not record.request_id:
        return Disk.MISSING, expected
    try:
        found = find_videos(record.request_id, folder)
    except OSError:
        return max(map(_state, expected), key=list(Disk).index), expected
    best = [_best(found.get(number, []), path) for number, path in enumerate(expected, 1)]
    if not record.files:
        # How many there are is not known, so all that are there are taken for all.
        further = (_best(found[number], found[number][0]) for number in takewhile(found.__contains__, count(2)))
        best += takewhile(lambda each: each[0] is Disk.WHOLE, further)
    return max((state for state, _ in best), key=list(Disk).index), tuple(path for _, path in best)


def _best(files: list[Path], expected: Path) -> tuple[Disk, Path]:
    """Of the files that are one video by their names, one that is whole, else where it is or would be."""
    preferred = (Disk.WHOLE, Disk.UNREADABLE, Disk.MISSING)
    states = [(_state(file), file) for file in files] or [(Disk.MISSING, expected)]
    return min(states, key=lambda each: (preferred.index(each[0]), each[1] != expected))


def _state(file: Path) -> Disk:
    try:
        check_mp4(file)
    except VideoError:
        return Disk.MISSING
    except OSError:
        return Disk.MISSING if is_missing(file) else Disk.UNREADABLE
    return Disk.WHOLE


async def download_videos(job: Job, poller: Poller, result: JobResult) -> tuple[Path, ...]:
    """Fetch every video of a job that is not on disk yet, and write down that it is. Returns where they are.

    Raises:
        NoVideo: the result holds no link.
        VideoUnavailable: a video could not be fetched.
        JobError: asking for new links failed.
    """
    account, disk = job.account, job.account.executors.journal
    is_alone = bool(job.record.id)  # a job that the journal does not know cannot be claimed
    names = file_names(job.record, len(result.videos), account.clock.wall())
    if not names:
        raise NoVideo(job.record.request_id)
    wanted = replace(job.record, files=names)
    _, targets = await job.cancellation.wait_for(disk.submit(look_on_disk, wanted, account.folder))
    for number, target in enumerate(targets):
        if not await job.cancellation.wait_for(disk.submit(_is_there, target, is_alone=is_alone)):
            result = await _download_one(job, poller, result, number, target)
    await poller.saved(tuple(target.name for target in targets))
    return targets


async def _download_one(job: Job, poller: Poller, result: JobResult, number: int, target: Path) -> JobResult:
    """Fetch one video of a job. Returns the result whose links are valid now."""
    request_id, refreshes = job.record.request_id, 0

    async def recover(error: VideoError, progressed: bool) -> str:
        nonlocal result, refreshes
        if isinstance(error, DownloadInterrupted):
            if progressed:
                poller.progressed()
            await poller.pause_after(error.message)
            return result.videos[number]
        if not isinstance(error, LinkExpired | UnsupportedVideo | CorruptVideo):
            # Its own advice on a link is for somebody who chose it.
            own = isinstance(error, DiskFailure)
            first = error.advice if own else "Check the proxy, VPN and DNS of this machine."
            raise VideoUnavailable(error.message, request_id, first) from error
        refreshes += 1
        if refreshes > MAX_LINK_REFRESHES:
            raise VideoUnavailable(error.message, request_id) from error
        await poller.pause_after(error.message)
        result = await poller.result()
        if len(result.videos) <= number:
            raise NoVideo(request_id) from error
        return result.videos[number]

    download = job.account.open_download(target)
    await _attempt(download, result.videos[number], recover, job.account.executors, job.cancellation)
    return result


async def download_link(link: str, download: Download, executors: Executors, cancellation: Cancellation) -> Path:
    """Fetch a video unless it is on disk already. Raises `VideoError` or `Stopped`."""
    backoff = Backoff()

    async def recover(error: VideoError, _: bool) -> str:
        # A host that cannot be reached: most likely the link is wrong, of which whoever typed it wants to hear at once.
        passing = isinstance(error, DownloadInterrupted) and not isinstance(error, HostUnreachable)
        if not passing or backoff.failures >= LINK_ATTEMPTS:
            raise error
        pause = backoff.pause()
        cancellation.report(Retrying(error.message, pause))
        await cancellation.sleep(pause)
        return link

    try:
        # Another run may be fetching it as well: no claim tells.
        if not await cancellation.wait_for(executors.journal.submit(_is_there, download.target, is_alone=False)):
            await _attempt(download, link, recover, executors, cancellation)
        return download.target
    except StopRequested:
        raise Stopped(StopReport((Text("stoppedDownloading"),), StopOutcome.NOT_SUBMITTED)) from None


async def _attempt(
    download: Download, link: str, recover: Recover, executors: Executors, cancellation: Cancellation
) -> None:
    """Attempt by attempt, until the video is there or ``recover`` raises."""
    attempt: Future[None] | None = None

    def progress(received: int, total: int | None) -> None:
        cancellation.report(Downloading(received, total))

    try:
        while True:
            before = download.received
            attempt = executors.downloads.submit(download.attempt, link, progress, cancellation.is_cancelled)
            try:
                await cancellation.wait_for(attempt)
            except VideoError as error:
                link = await recover(error, download.received > before)
            else:
                return
    finally:
        # A cut-off attempt still writes until it sees the Stop signal; its part file goes when it ends.
        if attempt:
            attempt.add_done_callback(lambda _: download.discard())


def _is_there(target: Path, *, is_alone: bool) -> bool:
    """Whether a video is on disk. What a run left that was killed, or could not rename it, is given its name if it is
    whole, and else removed where nobody else can be fetching it."""
    if is_whole(target):
        return True
    with suppress(OSError):  # a folder that cannot be listed just now, or a file that is held
        for left in target.parent.glob(f".{target.name}.*.part"):
            if is_whole(left):
                rename(left, target)
            elif is_alone:
                remove(left)
    return is_whole(target)
