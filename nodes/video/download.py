"""A video from its link to a whole, checked file: streamed, resumed, and named only when it is complete."""

from __future__ import annotations

import errno
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from ..files import Wait, pause, remove, replace, sync
from ..http_client import InvalidProxy, failure_reason
from ..http_exchange import Exchange, ResponseTooLarge
from .errors import (
    Cancelled,
    DownloadFailed,
    DownloadInterrupted,
    HostUnreachable,
    LinkExpired,
    NoSpace,
    NotRenamed,
    VideoError,
)
from .file_format import check_mp4
from .url_policy import check_url

MAX_SIZE: Final = 512 * 1024 * 1024
"""Bytes of a video; Seedance's own have a few million."""
AROUND: Final = 1024 * 1024
"""Bytes of a response that may be around a video."""
PIECE: Final = 256 * 1024
"""Bytes that are read at most before they are written."""
CONNECT_TIMEOUT: Final = 10.0
"""Seconds."""
READ_TIMEOUT: Final = 20.0
"""Seconds between two pieces of an answer."""
ATTEMPT_TIMEOUT: Final = 600.0
"""Seconds for one attempt; the next one goes on where it ended."""

_EXPIRED: Final = (401, 403, 404, 410)


class Download:
    """One video on its way to ``target``.

    `attempt` may be called until it returns; each goes on where the one before broke off, where the server can.
    `discard` removes what is unfinished, and is harmless after success.
    """

    def __init__(
        self,
        target: Path,
        session: requests.Session,
        *,
        trusted_origin: str | None = None,
        max_size: int = MAX_SIZE,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = pause,
    ) -> None:
        self.target = target
        self.received = 0
        """Bytes so far."""
        self.total: int | None = None
        """Bytes in all, once the server has told."""
        self._session = session
        self._trusted = trusted_origin
        self._max_size = max_size
        self._clock = clock
        self._wait = wait
        self._validator = ""
        self._part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        self._is_whole = False

    def attempt(self, link: str, progress: Callable[[int, int | None], None], stopped: Callable[[], bool]) -> None:
        """Fetch all, or all that is still missing, then check it and give it its name. Blocks.

        Args:
            progress: told the bytes received and in all.
            stopped: asked before every reading, of the head as well.

        Raises:
            DownloadInterrupted, LinkExpired: another attempt, or another link, may help.
            VideoError: no other attempt would.
            Cancelled: ``stopped`` said so.
        """
        if not (self._trusted and link.startswith(self._trusted + "/")):
            check_url(link)

        def go_on() -> None:
            if stopped():
                raise Cancelled

        exchange = Exchange(
            ATTEMPT_TIMEOUT, self._max_size + AROUND, self._clock, before_first_byte=go_on, before_read=go_on
        )
        try:
            with exchange:
                self._transfer(link, progress)
            check_mp4(self._part)
        except (requests.exceptions.RequestException, HTTPError, ValueError, ResponseTooLarge) as error:
            # Not to be chained: it holds the link, and with it perhaps a key.
            raise self._failure(error, exchange) from None
        except (DownloadInterrupted, LinkExpired):
            raise  # another attempt goes on from what has arrived
        except VideoError:
            self.discard()
            raise
        except OSError as error:
            if not exchange.sent:  # certificates that cannot be read
                raise self._failure(error, exchange) from None
            self.discard()
            raise _disk_error(error, self.target) from None
        self._is_whole = True
        try:
            replace(self._part, self.target, self._wait)
        except OSError as error:
            raise NotRenamed(self._part, self.target, error.strerror or type(error).__name__) from None

    def discard(self) -> None:
        """Remove an unfinished file. One that is whole stays, even under the name of an unfinished one."""
        if not self._is_whole:
            with suppress(OSError):
                remove(self._part, self._wait)
        self.received = 0

    def _transfer(self, link: str, progress: Callable[[int, int | None], None]) -> None:
        resumable = self.received and self._validator
        headers = {"Range": f"bytes={self.received}-", "If-Range": self._validator} if resumable else {}
        timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
        with self._session.get(link, headers=headers, stream=True, timeout=timeout) as response:
            self._accept(response)
            self.target.parent.mkdir(parents=True, exist_ok=True)
            with self._part.open("r+b" if self.received else "wb") as file:
                file.seek(self.received)
                progress(self.received, self.total)
                for piece in _pieces(response):
                    file.write(piece)
                    self.received = file.tell()
                    self._check_size(self.received)
                    progress(self.received, self.total)
                sync(file)
        if self.total is not None and self.received != self.total:
            raise DownloadInterrupted(f"{self.received:,} of {self.total:,} bytes arrived")

    def _accept(self, response: requests.Response) -> None:
        """Take over what the answer's head says; go back to the start unless it really continues."""
        status = response.status_code
        if status in _EXPIRED:
            raise LinkExpired(status)
        if status not in (200, 206):
            if status == 416:
                self.discard()
            if status in (408, 416, 429) or status >= 500:
                raise DownloadInterrupted(f"HTTP {status}")
            raise DownloadFailed(f"The server of the video answered with HTTP {status}.", "Check the link.")
        continues = status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {self.received}-")
        if status == 206 and not continues:
            self.discard()
            raise DownloadInterrupted("the server sent another part than was asked for")
        if not continues:
            self.received = 0
        length = response.headers.get("Content-Length", "")
        self.total = self.received + int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
        self._check_size(self.total or 0)
        etag = response.headers.get("ETag", "")
        # Without a strong validator a continuation could belong to another file.
        self._validator = etag if etag and not etag.startswith("W/") else ""
        if not self._validator and response.headers.get("Last-Modified"):
            self._validator = response.headers["Last-Modified"]

    def _failure(self, error: Exception, exchange: Exchange) -> DownloadFailed:
        """What it means that no whole response came."""
        if isinstance(error, ResponseTooLarge):
            self.discard()
            return _too_large(self._max_size)
        if isinstance(error, InvalidProxy):
            return DownloadFailed(
                f"The video could not be downloaded ({error}).", "Set another proxy, or none; run again."
            )
        if isinstance(error, requests.exceptions.TooManyRedirects):
            return DownloadFailed("The link to the video redirects without end.", "Use a direct link.")
        if isinstance(error, requests.exceptions.InvalidSchema):
            return DownloadFailed("The link to the video redirects to one that is not https.", "Use a direct link.")
        if isinstance(error, ValueError):
            # What requests and urllib raise for a link, or a redirect, that cannot be taken apart.
            return DownloadFailed("The link to the video is not a valid one.", "Check the link.")
        reason = failure_reason(error, exchange)
        return DownloadInterrupted(reason) if exchange.sent else HostUnreachable(reason)

    def _check_size(self, size: int) -> None:
        if size > self._max_size:
            raise _too_large(self._max_size)


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """The body as it arrives: to wait for full pieces would keep a slow transfer from its time limit and from Stop."""
    # Before urllib3 2.1 there is only the waiting kind.
    read: Callable[[int], bytes] = getattr(response.raw, "read1", response.raw.read)
    return iter(lambda: read(PIECE), b"")


def _too_large(most: int) -> DownloadFailed:
    return DownloadFailed(
        f"The video is larger than {most // 2**20} MB.", "Use a smaller one, or download it yourself."
    )


def _disk_error(error: OSError, target: Path) -> VideoError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace("There is no space left for the video.", f"Free some in {target.parent} and run again.")
    return NoSpace(f"The video cannot be written ({error.strerror}).", f"Make {target.parent} writable and run again.")
