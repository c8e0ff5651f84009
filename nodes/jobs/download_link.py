"""A video that no job of ours made: fetched from a link of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..video.download import Download
from ..video.errors import DownloadInterrupted, HostUnreachable
from .cancellation import Cancellation, StopRequested
from .disk import is_whole
from .errors import Stopped
from .events import Downloading, Retrying, StopOutcome
from .executors import Executors
from .retry import Backoff

ATTEMPTS: Final = 5


async def fetch(
    link: str, download: Download, executors: Executors, cancellation: Cancellation, backoff: Backoff
) -> Path:
    """Fetch a video unless it is on disk already. Raises `VideoError` or `Stopped`."""

    def progress(received: int, total: int | None) -> None:
        cancellation.report(Downloading(received, total))

    if await cancellation.wait_for(executors.journal.submit(is_whole, download.target)):
        return download.target
    try:
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
        attempt.add_done_callback(lambda _: download.discard())
