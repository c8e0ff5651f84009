"""A video from its link to a whole, checked file: streamed, resumed, and named only when it is complete."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from ..http_client import InvalidProxy, ResponseTooLarge, cancellable
from .errors import (
    Cancelled,
    CorruptVideo,
    DownloadFailed,
    DownloadInterrupted,
    LinkExpired,
    NoSpace,
    UnsupportedVideo,
    VideoError,
)
from .mp4 import check_mp4, sync
from .url_policy import MAX_SIZE, check_url

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
        self._validator = ""
        self._part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")

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
        try:
            self._transfer(link, progress, stopped)
            check_mp4(self._part)
            self._part.replace(self.target)
            with suppress(OSError):  # some network and Windows drives cannot; the file has its name all the same
                _sync_folder(self.target.parent)
        except requests.exceptions.TooManyRedirects:
            raise DownloadFailed("The link to the video redirects without end.", "Use a direct link.") from None
        except InvalidProxy as error:
            raise DownloadFailed(
                f"The video could not be downloaded ({error}).", "Set another proxy, or none, and restart ComfyUI."
            ) from None
        except ResponseTooLarge:
            self.discard()
            raise _too_large(self._max_size) from None
        except requests.exceptions.InvalidSchema:
            raise DownloadFailed(
                "The link to the video redirects to one that is not https.", "Use a direct link."
            ) from None
        except ValueError:
            # What requests and urllib raise for a link, or a redirect, that cannot be taken apart.
            raise DownloadFailed("The link to the video is not a valid one.", "Check the link.") from None
        except (requests.exceptions.RequestException, HTTPError) as error:
            raise DownloadInterrupted(_reason(error)) from None
        except (DownloadInterrupted, LinkExpired):
            raise  # another attempt goes on from what has arrived
        except (DownloadFailed, UnsupportedVideo, CorruptVideo):
            self.discard()
            raise
        except OSError as error:
            self.discard()
            raise _disk_error(error, self.target) from None

    def discard(self) -> None:
        """Remove an unfinished file."""
        with suppress(OSError):
            self._part.unlink(missing_ok=True)
        self.received = 0

    def _transfer(self, link: str, progress: Callable[[int, int | None], None], stopped: Callable[[], bool]) -> None:
        resumable = self.received and self._validator
        headers = {"Range": f"bytes={self.received}-", "If-Range": self._validator} if resumable else {}
        ends = self._clock() + ATTEMPT_TIMEOUT
        timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)

        def go_on() -> None:
            if stopped():
                raise Cancelled

        with cancellable(go_on), self._session.get(link, headers=headers, stream=True, timeout=timeout) as response:
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
                    if self._clock() > ends:
                        raise DownloadInterrupted("it takes too long")
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


def _reason(error: Exception) -> str:
    if isinstance(error, requests.exceptions.Timeout):
        return "time-out"
    return "connection lost" if isinstance(error, requests.exceptions.ConnectionError) else type(error).__name__


def _disk_error(error: OSError, target: Path) -> VideoError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace("There is no space left for the video.", f"Free some in {target.parent} and run again.")
    return NoSpace(f"The video cannot be written ({error.strerror}).", f"Make {target.parent} writable and run again.")


def _sync_folder(folder: Path) -> None:
    """Make the new name outlive a power cut, where the system can open folders."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
