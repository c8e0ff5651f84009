"""A video that no job of ours made: fetched from a link of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..video.download import Download
from ..video.errors import FetchBroken
from .cancellation import StopSeen, Watch
from .download import is_intact
from .errors import Stopped
from .events import Downloading, Retrying
from .executors import Workers
from .retry import Backoff
from .stop_outcome import Fate

ATTEMPTS: Final = 5


async def fetch(link: str, download: Download, workers: Workers, watch: Watch, backoff: Backoff) -> Path:
    """Fetch a video unless it is on disk already. Raises `VideoError` or `Stopped`."""

    def progress(received: int, total: int | None) -> None:
        watch.show(Downloading(received, total))

    if await watch.result(workers.record(is_intact, download.target)):
        return download.target
    try:
        while True:
            attempt = workers.download(download.attempt, link, progress, watch.is_over)
            try:
                await watch.result(attempt)
            except FetchBroken as error:
                if backoff.failures >= ATTEMPTS:
                    raise
                pause = backoff.pause()
                watch.show(Retrying(error.what, pause))
                await watch.pause(pause)
            else:
                return download.target
    except StopSeen:
        raise Stopped("Stopped while downloading.", Fate.NOT_SUBMITTED) from None
    finally:
        attempt.add_done_callback(lambda _: download.discard())
