"""Downloads through broken connections and expired links; and checks beforehand of what would prevent them."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from requests.utils import get_environ_proxies, select_proxy

from ..errors import Charge, StopRequested
from ..files import remove
from ..files import replace as rename
from ..runcomfy.responses import JobResult
from ..texts import Text
from ..video import errors as video_errors
from ..video.download import Download
from ..video.url_policy import check_host
from . import events
from .decide import Disk
from .errors import JobError, JournalUnusable, Stopped, VideoUnavailable
from .job import NO_JOB, Job
from .journal import Journal
from .poll import Poller
from .video_files import MAX_NAME, VideoFolder, disk_state, file_names
from .waiting import Backoff, Executors, Run

MAX_LINK_REFRESHES: Final = 4
"""How often a new link is asked for before the video counts as unavailable."""
LINK_ATTEMPTS: Final = 5
"""Attempts at a link that the user gave."""
MIN_FREE: Final = 200_000_000
"""Bytes on the drive; the largest videos of this model have a tenth of it."""
MAX_PATH: Final = 260
"""Characters of a path, with the NUL behind it, unless long ones are switched on in Windows."""


def whole_files(request_id: str, folder: Path, journal: Journal) -> tuple[Path, ...]:
    """The videos of a job if they are on disk, whole. Blocks; a journal that cannot be read hides none of them."""
    record = None
    with suppress(JournalUnusable):
        record = journal.job(request_id)
    state, paths = VideoFolder(folder).locate(record or replace(NO_JOB, request_id=request_id))
    return paths if state is Disk.WHOLE else ()


async def find_files(
    request_id: str, folder: Path, journal: Journal, executors: Executors, run: Run
) -> tuple[Path, ...]:
    """As `whole_files`, for the event loop. Raises `Stopped` at once, even while the journal waits."""
    try:
        return await run.wait_for(executors.journal.submit(whole_files, request_id, folder, journal))
    except StopRequested:
        raise Stopped(events.stopped(Text("stoppedLooking"))) from None


async def download_videos(job: Job, poller: Poller, result: JobResult) -> tuple[Path, ...]:
    """Fetch every video of a job that is not on disk yet, and record that. Returns where they are.

    Raises `VideoUnavailable`, or `JobError` where the result holds no link or new ones were not got.
    """
    account, disk = job.account, job.account.executors.journal
    is_alone = bool(job.record.id)  # a job that the journal does not know cannot be claimed
    names = file_names(job.record, max(1, len(result.videos)), account.clock.wall())
    wanted = replace(job.record, files=names)
    _, targets = await job.run.wait_for(disk.submit(lambda: VideoFolder(account.folder).locate(wanted)))
    for number, target in enumerate(targets):
        if not await job.run.wait_for(disk.submit(_find_or_recover, target, is_alone=is_alone)):
            result = await _download_one(job, poller, result, number, target)
    await poller.mark_saved(tuple(target.name for target in targets))
    return targets


async def _download_one(job: Job, poller: Poller, result: JobResult, number: int, target: Path) -> JobResult:
    """Fetch one video of a job. Returns the result whose links are valid now."""
    request_id, refreshes = job.record.request_id, 0
    download = job.account.open_download(target)
    download.trailer = job.run.trailer
    with _attempts(download, job.account.executors, job.run) as attempt:
        while len(result.videos) > number:
            before = download.received
            try:
                await attempt(result.videos[number])
                return result
            except video_errors.DownloadInterrupted as error:
                if download.received > before:
                    poller.backoff.reset()
                await poller.pause_after(error.message)
            except (video_errors.LinkExpired, video_errors.UnsupportedVideo, video_errors.CorruptVideo) as error:
                refreshes += 1
                if refreshes > MAX_LINK_REFRESHES:
                    raise VideoUnavailable(request_id, error.message) from error
                await poller.pause_after(error.message)
                result = await poller.fetch_result()
            except video_errors.VideoError as error:
                # An error's own advice about a link is for somebody who chose the link.
                own = isinstance(error, video_errors.DiskFailure)
                first = error.advice if own else Text("errors.videoUnavailable.checkNetwork")
                raise VideoUnavailable(request_id, error.message, first) from error
    raise JobError("noVideo", charge=Charge.CHARGED, request_id=request_id)


async def download_link(link: str, download: Download, executors: Executors, run: Run) -> Path:
    """Fetch a video unless it is on disk already. Raises `VideoError` or `Stopped`."""
    backoff = Backoff()
    try:
        # Another run may be fetching it as well: links have no claims.
        if await run.wait_for(executors.journal.submit(_find_or_recover, download.target, is_alone=False)):
            return download.target
        with _attempts(download, executors, run) as attempt:
            while True:
                try:
                    await attempt(link)
                    return download.target
                except video_errors.HostUnreachable:
                    raise  # most likely the link is wrong, of which whoever typed it wants to hear at once
                except video_errors.DownloadInterrupted as error:
                    if backoff.failures >= LINK_ATTEMPTS:
                        raise
                    pause = backoff.pause()
                    run.report(events.retrying(error.message, pause))
                    await run.sleep(pause)
    except StopRequested:
        raise Stopped(events.stopped(Text("stoppedDownloading"))) from None


@contextmanager
def _attempts(download: Download, executors: Executors, run: Run) -> Iterator[Callable[[str], Awaitable[None]]]:
    """Makes attempts at a link, each of which goes on where the one before broke off. Raises as `Download.attempt`."""
    latest: Future[None] | None = None

    def progress(received: int, total: int | None) -> None:
        run.report(events.downloading(received, total))

    async def attempt(link: str) -> None:
        nonlocal latest
        latest = executors.downloads.submit(download.attempt, link, progress, run.check)
        await run.wait_for(latest)

    try:
        yield attempt
    finally:
        # A cut-off attempt still writes until it sees the Stop signal; its part file goes when it ends.
        if latest:
            latest.add_done_callback(lambda _: download.discard())


def _find_or_recover(target: Path, *, is_alone: bool) -> bool:
    """Whether a video is on disk. First, a file left by a run that was killed, or could not rename it, is renamed if it
    is complete. Otherwise it is removed, unless another run may be fetching the video."""
    if disk_state(target) is Disk.WHOLE:
        return True
    with suppress(OSError):  # a folder that cannot be listed just now, or a file that is held
        for left in target.parent.glob(f".{target.name}.*.part"):
            if disk_state(left) is Disk.WHOLE:
                rename(left, target)
            elif is_alone:
                remove(left)
    return disk_state(target) is Disk.WHOLE


def check_before_submit(folder: Path, hosts: Iterable[str]) -> None:
    """Make sure, before a video is paid for, that it could be fetched from where the latest ones came from, written to
    its folder and read. Blocks for milliseconds. Raises `JobError`.
    """
    _check_folder(folder)
    try:
        import av  # noqa: F401  only whether it loads
    except ImportError as error:
        raise JobError("decoderMissing", reason=str(error)) from None
    for host in hosts:
        _check_host(host)


def _check_folder(folder: Path) -> None:
    # As long a name as an unfinished download may have, since Windows limits the whole path.
    probe = folder / f".{'x' * MAX_NAME}.{secrets.token_hex(4)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        is_too_long = sys.platform == "win32" and len(str(probe.absolute())) >= MAX_PATH
        reason = Text("errors.folderNotWritable.tooLong") if is_too_long else error.strerror or type(error).__name__
        raise JobError("folderNotWritable", folder=str(folder), reason=reason) from None
    if free < MIN_FREE:
        raise JobError("driveFull", free=f"{free // 1_000_000}", folder=str(folder), needed=f"{MIN_FREE // 1_000_000}")


def _check_host(host: str) -> None:
    url = f"https://{host}/"
    if select_proxy(url, get_environ_proxies(url)):
        return  # which looks names up by itself
    try:
        with suppress(OSError):  # it leads nowhere just now, as RunComfy's own name would
            check_host(host)
    except video_errors.UnsafeUrl as error:
        raise JobError("hostUnusable", host=host, reason=error.message.rstrip(".")) from None
