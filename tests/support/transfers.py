"""Downloads from a server that keeps its word or breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from nodes.http_exchange import Exchange
from nodes.video.download import Download
from nodes.video.errors import DownloadInterrupted, VideoError
from nodes.video.url_policy import media_session
from tests.support.loopback_server import DEADLINE, Answer, Hangup, Loopback, Received, breaking_off, reply

ETAG = {"ETag": '"one"'}


def download(server: Loopback, target: Path, **options: Any) -> Download:
    return Download(target, media_session(server.origin), **options)


def get(session: requests.Session, link: str, **options: Any) -> requests.Response:
    """What a link leads to, by a session that belongs to downloads."""
    with Exchange(DEADLINE, 10_000_000):
        return session.get(link, **{"timeout": DEADLINE} | options)


def attempt(
    download: Download,
    server: Loopback,
    progress: Callable[[int, int | None], None] = lambda received, total: None,
    check_stop: Callable[[], None] = lambda: None,
) -> None:
    download.attempt(server.origin + "/a.mp4", progress, check_stop)


def failure_of(link: str, target: Path, origin: str | None = None, **options: Any) -> VideoError:
    """What one attempt at a link ends with."""
    fetched = Download(target, media_session(origin), **options)
    with pytest.raises(VideoError) as raised:
        fetched.attempt(link, lambda *_: None, lambda: None)
    return raised.value


def failure(server: Loopback, target: Path, **options: Any) -> VideoError:
    return failure_of(server.origin + "/a.mp4", target, server.origin, **options)


def files(target: Path) -> list[str]:
    return sorted(file.name for file in target.parent.glob("*")) if target.parent.is_dir() else []


def half_of(data: bytes, validator: dict[str, str] | None = None) -> bytes:
    """All announced, half sent."""
    headers = ETAG if validator is None else validator
    return reply(200, data[: len(data) // 2], {"Content-Length": str(len(data))} | headers)


def breaks_off(server: Loopback, target: Path, sent: bytes, how: type[Exception] = Hangup) -> Download:
    """A download of which so much was sent and no more."""
    server.answer = breaking_off(sent, how=how)
    fetched = download(server, target)
    with pytest.raises(DownloadInterrupted):
        attempt(fetched, server)
    return fetched


def ranged(data: bytes, headers: dict[str, str]) -> Answer:
    """A server that hands out what is asked for, as long as the condition holds."""

    def answer(request: Received) -> Iterator[bytes]:
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if "range" not in request.headers or request.headers.get("if-range") not in (None, *headers.values()):
            yield reply(200, data, headers)
        else:
            span = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
            yield reply(206, data[start:], headers | span)

    return answer
