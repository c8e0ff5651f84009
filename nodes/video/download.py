"""A video from its link to a whole, checked file: streamed, resumed, and named only when it is complete."""

from __future__ import annotations

import logging
import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from ..files import Wait, patiently, pause, remove, replace, sync
from ..http_client import InvalidProxy, failure_reason
from ..http_exchange import Exchange, ResponseTooLarge
from ..texts import Text
from .errors import DiskFailure, DownloadInterrupted, HostUnreachable, LinkExpired, VideoError, disk_error
from .file_format import check_mp4

MAX_SIZE: Final = 512 * 1024 * 1024
"""Bytes of a video; Seedance's own have a few million."""
MAX_OVERHEAD: Final = 1024 * 1024
"""Bytes that a response may have beside the video, such as headers."""
READ_SIZE: Final = 256 * 1024
"""Bytes that are read at most before they are written."""
TIMEOUTS: Final = (10.0, 20.0)
"""Seconds to connect, and between two pieces of an answer."""
ATTEMPT_TIMEOUT: Final = 600.0
"""Seconds for one attempt; the next one goes on where it ended."""
_log: Final = logging.getLogger("seedance")


@dataclass(eq=False)
class Download:
    """One video on its way to ``target``.

    Call `attempt` until it returns; each call goes on where the one before broke off, if the server can do that.
    `discard` removes what is unfinished, and is harmless after success.
    """

    target: Path
    session: requests.Session
    """Judges where links lead."""
    _: KW_ONLY
    max_size: int = MAX_SIZE
    clock: Callable[[], float] = time.monotonic
    wait: Wait = pause
    trailer: Callable[[], bytes] = bytes
    """Returns what to append to the file behind the video. Called in the thread of `attempt`; must not raise."""
    received: int = field(default=0, init=False)
    total: int | None = field(default=None, init=False)
    """Bytes in all, once the server has said."""

    def __post_init__(self) -> None:
        self._part = self.target.with_name(f".{self.target.name}.{secrets.token_hex(4)}.part")
        self._validator = ""
        self._is_whole = False

    def attempt(self, link: str, progress: Callable[[int, int | None], None], check_stop: Callable[[], None]) -> None:
        """Fetch all, or all that is still missing, then check it and give it its name. Blocks.

        ``progress`` is called with the bytes received and in all, ``check_stop`` before every reading, of the head
        as well. Raises `DownloadInterrupted` or `LinkExpired` where another attempt, or another link, may help, another
        `VideoError` where not, and what ``check_stop`` does.
        """
        size = self.max_size + MAX_OVERHEAD
        exchange = Exchange(ATTEMPT_TIMEOUT, size, self.clock, before_first_byte=check_stop, before_read=check_stop)
        try:
            with exchange:
                self._transfer(link, progress)
            self._check()
            self._write_trailer()
        except (DownloadInterrupted, LinkExpired):
            raise  # another attempt goes on from what has arrived
        except VideoError:
            self.discard()
            raise
        except (OSError, HTTPError, ValueError, ResponseTooLarge) as error:
            # Not chained: it holds the link, which may contain a key.
            raise self._failure(error, exchange) from None
        self._is_whole = True
        try:
            replace(self._part, self.target, self.wait)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DiskFailure("video.notRenamed", name=self.target.name, reason=reason, kept=str(self._part)) from None

    def discard(self) -> None:
        """Remove the file if it is unfinished. A complete one stays, even if it could not be renamed."""
        if not self._is_whole:
            with suppress(OSError):
                remove(self._part, self.wait)
        self.received = 0

    def _transfer(self, link: str, progress: Callable[[int, int | None], None]) -> None:
        resumable = self.received and self._validator
        headers = {"Range": f"bytes={self.received}-", "If-Range": self._validator} if resumable else {}
        with self.session.get(link, headers=headers, stream=True, timeout=TIMEOUTS) as response:
            self._accept(response)
            self.target.parent.mkdir(parents=True, exist_ok=True)
            with self._part.open("r+b" if self.received else "wb") as file:
                file.seek(self.received)
                progress(self.received, self.total)
                # Not in full pieces: in a slow transfer, waiting for them would delay the time limit and Stop. Before
                # urllib3 2.1, reading can only wait for them.
                read: Callable[[int], bytes] = getattr(response.raw, "read1", response.raw.read)
                while piece := read(READ_SIZE):
                    file.write(piece)
                    self.received = file.tell()
                    if self.received > self.max_size:
                        raise self._too_large()
                    progress(self.received, self.total)
                sync(file)
        if self.total is not None and self.received != self.total:
            received, total = f"{self.received:,}", f"{self.total:,}"
            raise DownloadInterrupted(Text("errors.video.interrupted.tooShort", received=received, total=total))

    def _accept(self, response: requests.Response) -> None:
        """Read the answer's headers; go back to the start unless it really continues the file."""
        status = response.status_code
        if status in (401, 403, 404, 410):
            raise LinkExpired(status)
        if status == 416:
            self.discard()
        if status in (408, 416, 429) or status >= 500:
            raise DownloadInterrupted(f"HTTP {status}")
        if status not in (200, 206):
            raise VideoError("video.badStatus", status=status)
        header = response.headers.get
        if status == 206 and not header("Content-Range", "").startswith(f"bytes {self.received}-"):
            self.discard()
            raise DownloadInterrupted(Text("errors.video.interrupted.otherPart"))
        if status == 200:
            self.received = 0
        length = header("Content-Length", "")
        self.total = self.received + int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        if self.total is not None and self.total > self.max_size:
            raise self._too_large()
        # Without a strong validator a continuation could belong to another file.
        etag = header("ETag", "")
        self._validator = "" if etag.startswith("W/") else etag
        self._validator = self._validator or header("Last-Modified", "")

    def _check(self) -> None:
        try:
            check_mp4(self._part)
        except PermissionError:  # a scanner looks at what is new
            raise DownloadInterrupted(Text("errors.video.interrupted.held")) from None

    def _write_trailer(self) -> None:
        if not (trailer := self.trailer()):
            return

        def write() -> None:
            with self._part.open("r+b") as file:
                file.seek(self.received)
                file.write(trailer)
                sync(file)

        try:
            patiently(write, self.wait)
        except OSError as error:  # the video is worth no less without it
            _log.warning("Seedance: the workflow is not written into %s (%s).", self.target.name, error)
            with suppress(PermissionError):  # it could not even be opened: nothing was written
                os.truncate(self._part, self.received)

    def _failure(self, error: Exception, exchange: Exchange) -> VideoError:
        if isinstance(error, ResponseTooLarge):
            self.discard()
            return self._too_large()
        is_of_requests = isinstance(error, requests.exceptions.RequestException)
        if exchange.sent and isinstance(error, OSError) and not is_of_requests:
            self.discard()
            return disk_error(error, self.target)
        reason = failure_reason(error, exchange)
        if isinstance(error, InvalidProxy):
            return VideoError("video.badProxy", reason=reason)
        if isinstance(error, requests.exceptions.TooManyRedirects):
            return VideoError("video.endlessRedirects")
        if isinstance(error, ValueError):
            # What requests and urllib raise for a link, or a redirect, that cannot be parsed.
            return VideoError("video.badLink")
        return DownloadInterrupted(reason) if exchange.sent else HostUnreachable(reason)

    def _too_large(self) -> VideoError:
        return VideoError("video.tooLarge", megabytes=self.max_size // 2**20)
