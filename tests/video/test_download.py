"""A video from its link to a whole file under its name, through everything that may go wrong on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path, PosixPath
from typing import IO, Any

import pytest

from nodes.http_client import ResponseLimits
from nodes.video import url_policy as links
from nodes.video.download import ATTEMPT_TIMEOUT, Download
from nodes.video.errors import (
    Cancelled,
    CorruptVideo,
    DownloadFailed,
    DownloadInterrupted,
    LinkExpired,
    NoSpace,
    UnsafeUrl,
    UnsupportedVideo,
    VideoError,
)
from nodes.video.url_policy import media_session
from tests.support.loopback_server import DEADLINE, Hangup, Loopback, Received, always, reply
from tests.support.transfers import ETAG, attempt, closing, download, files, half_then


def test_a_whole_video_gets_its_name(server: Loopback, target: Path, data: bytes) -> None:
    told: list[tuple[int, int | None]] = []
    attempt(download(server, target), server, lambda received, total: told.append((received, total)))
    assert target.read_bytes() == data
    assert files(target) == ["job-1.mp4"]
    assert (told[0], told[-1]) == ((0, len(data)), (len(data), len(data)))
    assert told == sorted(told)
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_without_a_stated_length_it_is_read_to_the_end(server: Loopback, target: Path, data: bytes) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
    server.answer = always(chunked)
    fetched = download(server, target)
    attempt(fetched, server)
    assert target.read_bytes() == data
    assert fetched.total is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, LinkExpired) for status in (401, 403, 404, 410)),
        *((status, DownloadInterrupted) for status in (408, 429, 500, 502, 503, 504)),
        *((status, DownloadFailed) for status in (204, 400, 405, 418, 451)),
    ],
)
def test_what_each_status_means(server: Loopback, target: Path, status: int, error: type[VideoError]) -> None:
    server.answer = always(reply(status))
    with pytest.raises(VideoError, match=str(status)) as raised:
        attempt(download(server, target), server)
    assert type(raised.value) is error
    assert files(target) == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>This link has expired</html>", UnsupportedVideo),
        (b"", UnsupportedVideo),
        (b"\0\0\0\x10ftypisom\0\0\0\0", CorruptVideo),
    ],
)
def test_wrong_content_leaves_nothing_behind(
    server: Loopback, target: Path, body: bytes, error: type[VideoError]
) -> None:
    server.answer = always(reply(200, body))
    with pytest.raises(error):
        attempt(download(server, target), server)
    assert files(target) == []


def test_a_video_cut_short_by_its_server_is_not_taken_for_whole(server: Loopback, target: Path, data: bytes) -> None:
    server.answer = always(reply(200, data[: len(data) // 2]))
    with pytest.raises(CorruptVideo):
        attempt(download(server, target), server)
    assert files(target) == []


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "unstated"])
def test_too_large_is_given_up(server: Loopback, target: Path, data: bytes, stated: bool) -> None:
    def answer(_: Received) -> Iterator[bytes]:
        if stated:
            yield reply(200, b"", {"Content-Length": str(len(data))})
        else:
            yield b"HTTP/1.1 200 OK\r\n\r\n" + data
        server.over.wait(DEADLINE)

    server.answer = answer
    with pytest.raises(DownloadFailed, match="larger than"):
        attempt(download(server, target, max_size=len(data) - 1), server)
    assert files(target) == []


def test_so_is_what_is_no_video_but_never_ends(server: Loopback, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "RESPONSE_LIMITS", ResponseLimits(DEADLINE, 10_000))

    def endless(_: Received) -> Iterator[bytes]:
        yield CHUNKED + b"1\r\nx\r\n0\r\n" + b"X: y\r\n" * 2000
        server.over.wait(DEADLINE)

    server.answer = endless
    with pytest.raises(DownloadFailed, match="larger than") as raised:
        attempt(download(server, target), server)
    assert not isinstance(raised.value, DownloadInterrupted)
    assert files(target) == []


def test_the_largest_video_is_within_the_bounds_of_an_answer() -> None:
    assert links.RESPONSE_LIMITS.size > links.MAX_SIZE
    assert links.RESPONSE_LIMITS.seconds > ATTEMPT_TIMEOUT


@pytest.mark.parametrize("size", [b"-1", b"-5"])
def test_a_chunk_of_negative_size_is_no_video(server: Loopback, target: Path, size: bytes) -> None:
    server.answer = lambda _: closing(CHUNKED + size + b"\r\n" + bytes(1000))
    with pytest.raises(DownloadInterrupted):
        attempt(download(server, target), server)


@pytest.mark.parametrize("length", ["-5", "many", "9" * 5000, "1e3"])
def test_a_length_that_makes_no_sense_is_passed_over(server: Loopback, target: Path, data: bytes, length: str) -> None:
    server.answer = lambda _: closing(b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n%b" % (length.encode(), data))
    attempt(download(server, target), server)
    assert target.read_bytes() == data


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "trickle"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", b"x"),
        (CHUNKED + b"5;", b"x"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: y\r\n"),
    ],
    ids=["head", "body", "chunk", "trailer"],
)
def test_stop_is_seen_between_two_pieces_however_small(
    server: Loopback, target: Path, begun: bytes, trickle: bytes
) -> None:
    """Whoever sends them may go on for ever, and threads are few."""
    stop = threading.Event()

    def answer(_: Received) -> Iterator[bytes]:
        yield begun
        stop.set()
        yield trickle
        server.over.wait(DEADLINE)

    server.answer = answer
    fetched = download(server, target)
    with pytest.raises(Cancelled):
        attempt(fetched, server, stopped=stop.is_set)
    fetched.discard()
    assert files(target) == []


def test_a_trickle_is_cut_by_the_time_limit_of_an_attempt(server: Loopback, target: Path, data: bytes) -> None:
    def trickle(_: Received) -> Iterator[bytes]:
        yield reply(200, data[:10], {"Content-Length": str(len(data))} | ETAG)
        server.over.wait(DEADLINE)

    server.answer = trickle
    clock = chain([0.0], repeat(600.1))
    fetched = download(server, target, clock=lambda: next(clock))
    with pytest.raises(DownloadInterrupted, match="too long"):
        attempt(fetched, server)
    assert fetched.received == 10


def test_nobody_there_is_worth_another_attempt(server: Loopback, target: Path) -> None:
    server.answer = lambda _: closing()
    with pytest.raises(DownloadInterrupted):
        attempt(download(server, target), server)
    assert files(target) == []


@pytest.mark.parametrize(
    "location",
    [
        "https://10.0.0.1/a.mp4",
        "https://127.1:{port}/a.mp4",
        "http://127.0.0.1:9/a.mp4",
        "/a.mp4",
        "https://[::1/a.mp4",
        "https://videos.example:port/a.mp4",
    ],
)
def test_a_bad_redirect_is_final(server: Loopback, target: Path, location: str) -> None:
    server.answer = always(reply(302, headers={"Location": location.format(port=server.port)}))
    with pytest.raises((DownloadFailed, UnsafeUrl)) as raised:
        attempt(download(server, target), server)
    assert not isinstance(raised.value, DownloadInterrupted)
    assert files(target) == []


@pytest.mark.parametrize("link", ["https://*/a.mp4", "https://videos.example:99999/a.mp4", "https://a..b/a.mp4"])
def test_a_link_that_cannot_be_taken_apart_is_final(target: Path, link: str) -> None:
    with pytest.raises(DownloadFailed, match="not a valid one"):
        Download(target, media_session()).attempt(link, lambda received, total: None, lambda: False)


@pytest.mark.parametrize(
    ("proxy", "why"),
    [("socks5://127.0.0.1:9", "SOCKS proxies are not supported"), ("http://[", "address of the proxy")],
)
def test_a_proxy_that_cannot_be_used_is_told_and_final(
    target: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, why: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    fetched = Download(target, media_session())
    with pytest.raises(DownloadFailed, match=why) as raised:
        fetched.attempt("https://videos.example/a.mp4", lambda received, total: None, lambda: False)
    assert not isinstance(raised.value, DownloadInterrupted)


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:9/a.mp4", "https://127.0.0.1/a.mp4", "file:///etc/passwd", "\ud800"]
)
def test_without_a_trusted_origin_only_public_links_are_followed(target: Path, link: str) -> None:
    with pytest.raises(UnsafeUrl):
        Download(target, media_session()).attempt(link, lambda received, total: None, lambda: False)


def test_trust_ends_with_the_origin(server: Loopback, target: Path) -> None:
    for link in (f"{server.origin}0/a.mp4", f"{server.origin}@evil.example/a.mp4", f"{server.origin}.evil.example/"):
        with pytest.raises(UnsafeUrl):
            download(server, target).attempt(link, lambda received, total: None, lambda: False)
    assert server.connections == 0


class FullDisk(PosixPath):
    """A place where files can be made, but nothing can be written into them."""

    def open(self, *args: Any, **options: Any) -> IO[Any]:  # type: ignore[override]  # one shape for all overloads
        super().open(*args, **options).close()
        return Path("/dev/full").open("wb")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux' /dev/full")
def test_a_full_disk_is_told_as_one_and_keeps_nothing(server: Loopback, target: Path) -> None:
    with pytest.raises(NoSpace, match="no space left"):
        attempt(download(server, FullDisk(target)), server)
    assert files(target) == []


def test_a_folder_that_cannot_be_made_is_told(server: Loopback, target: Path) -> None:
    target.parent.write_bytes(b"a file where the folder should be")
    with pytest.raises(NoSpace, match="cannot be written"):
        attempt(download(server, target), server)


def test_a_target_that_cannot_be_replaced_is_told_and_keeps_nothing(server: Loopback, target: Path) -> None:
    target.mkdir(parents=True)
    with pytest.raises(NoSpace, match="cannot be written"):
        attempt(download(server, target), server)
    assert files(target) == ["job-1.mp4"]


def test_discard_after_success_keeps_the_video(server: Loopback, target: Path) -> None:
    fetched = download(server, target)
    attempt(fetched, server)
    fetched.discard()
    assert files(target) == ["job-1.mp4"]


def test_two_downloads_to_one_name_do_not_meet(server: Loopback, target: Path, data: bytes) -> None:
    server.answer = lambda _: half_then(Hangup, data, ETAG)
    first, second = download(server, target), download(server, target)
    for fetched in (first, second):
        with pytest.raises(DownloadInterrupted):
            attempt(fetched, server)
    assert len(files(target)) == 2
    assert not any(name.endswith(".mp4") for name in files(target))
    first.discard()
    second.discard()
    assert files(target) == []
