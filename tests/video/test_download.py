"""A video from its link to a whole file under its name, through everything that may go wrong on the way."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path, PosixPath
from typing import IO, Any
from unittest.mock import Mock

import pytest

from nodes.errors import StopRequested
from nodes.files import PAUSES
from nodes.video.download import AROUND, Download
from nodes.video.errors import (
    CorruptVideo,
    DiskFailure,
    DownloadInterrupted,
    HostUnreachable,
    LinkExpired,
    UnsafeUrl,
    UnsupportedVideo,
    VideoError,
)
from nodes.video.url_policy import MAX_REDIRECTS, media_session
from tests.support.loopback_server import (
    CHUNKED,
    DEADLINE,
    Loopback,
    Received,
    always,
    breaking_off,
    reply,
    silent_after,
)
from tests.support.strict_files import held
from tests.support.tiny_mp4 import box
from tests.support.transfers import ETAG, attempt, breaks_off, download, files, half_of, ranged


def failure(server: Loopback, target: Path, **options: Any) -> VideoError:
    with pytest.raises(VideoError) as raised:
        attempt(download(server, target, **options), server)
    return raised.value


def failure_of(link: str, target: Path, origin: str | None = None) -> VideoError:
    fetched = Download(target, media_session(origin), trusted_origin=origin)
    with pytest.raises(VideoError) as raised:
        fetched.attempt(link, lambda *_: None, lambda: False)
    return raised.value


def test_a_video_arrives_under_its_name_and_nothing_else_does(server: Loopback, target: Path, data: bytes) -> None:
    calls: list[tuple[int, int | None]] = []
    unstated = CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
    for total, sent in ((len(data), reply(body=data)), (None, unstated)):
        calls.clear()
        server.answer = always(sent)
        fetched = download(server, target)
        attempt(fetched, server, lambda received, total: calls.append((received, total)))
        fetched.discard()
        assert target.read_bytes() == data
        assert files(target) == ["job-1.mp4"]
        assert (calls[0], calls[-1]) == ((0, total), (len(data), total))
        assert [received for received, _ in calls] == sorted(received for received, _ in calls)
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_what_each_status_means(server: Loopback, target: Path) -> None:
    rows: dict[type[VideoError], tuple[int, ...]] = {
        LinkExpired: (401, 403, 404, 410),
        DownloadInterrupted: (408, 429, 500, 502, 503, 504),
        VideoError: (204, 400, 405, 418, 451),
    }
    for kind, statuses in rows.items():
        for status in statuses:
            server.answer = always(reply(status))
            error = failure(server, target)
            assert type(error) is kind, status
            assert str(status) in error.message
            assert files(target) == [], status


def test_wrong_or_incomplete_content_leaves_nothing_behind(server: Loopback, target: Path, data: bytes) -> None:
    for body, kind in (
        (b"<html>This link has expired</html>", UnsupportedVideo),
        (b"", UnsupportedVideo),
        (data[: len(data) // 2], CorruptVideo),
    ):
        server.answer = always(reply(200, body))
        assert type(failure(server, target)) is kind, body[:20]
        assert files(target) == [], body[:20]


def test_too_large_is_given_up_stated_or_not_and_also_where_it_is_no_video(
    server: Loopback, target: Path, data: bytes
) -> None:
    around = b"1;" + b"x" * 60_000 + b"\r\n"
    rows = {
        "stated": reply(200, b"", {"Content-Length": str(len(data))}),
        "not stated": b"HTTP/1.1 200 OK\r\n\r\n" + data,
        "around it": CHUNKED + (around + b"x\r\n") * (AROUND // len(around) + 2 + len(data) // len(around)),
    }
    for what, begun in rows.items():
        server.answer = silent_after(server, begun)
        error = failure(server, target, max_size=len(data) - 1)
        assert type(error) is VideoError, what
        assert "larger than" in error.message, what
        assert files(target) == [], what


def test_a_response_that_makes_no_sense_is_worth_another_attempt_unless_the_video_is_there(
    server: Loopback, target: Path, data: bytes
) -> None:
    for sent in (b"", CHUNKED + b"-1\r\n" + bytes(1000), CHUNKED + b"-5\r\n" + bytes(1000)):
        server.answer = breaking_off(sent)
        assert type(failure(server, target)) is DownloadInterrupted, sent
    for length in ("-5", "many", "9" * 5000, "1e3"):
        server.answer = breaking_off(b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n" % length.encode() + data)
        attempt(download(server, target), server)
        assert target.read_bytes() == data, length


def test_stop_is_seen_between_two_pieces_however_small(server: Loopback, target: Path) -> None:
    """Whoever sends them may go on for ever, and threads are few."""
    with pytest.raises(StopRequested):
        attempt(download(server, target), server, stopped=lambda: True)
    assert server.received == []
    for begun, trickle in (
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", b"x"),
        (CHUNKED + b"5;", b"x"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: y\r\n"),
    ):
        stop = threading.Event()

        def answer(_: Received, sent: tuple[bytes, bytes] = (begun, trickle), stop: Any = stop) -> Iterator[bytes]:
            yield sent[0]
            stop.set()
            yield sent[1]
            server.over.wait(DEADLINE)

        server.answer = answer
        fetched = download(server, target)
        with pytest.raises(StopRequested):
            attempt(fetched, server, stopped=stop.is_set)
        fetched.discard()
        assert files(target) == [], begun


def test_a_trickle_is_cut_by_the_time_limit_of_an_attempt(server: Loopback, target: Path, data: bytes) -> None:
    server.answer = silent_after(server, reply(200, data[:10], {"Content-Length": str(len(data))} | ETAG))
    late = threading.Event()
    fetched = download(server, target, clock=lambda: 600.1 if late.is_set() else 0.0)
    with pytest.raises(DownloadInterrupted, match="time-out"):
        attempt(fetched, server, lambda received, total: late.set() if received else None)
    assert fetched.received == 10


def test_a_host_that_cannot_be_reached_is_asked_for_once_and_named_as_such(
    target: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    resolve = Mock(side_effect=socket.gaierror(-2, "Name or service not known"))
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    unknown = failure_of("https://videos.example/a.mp4", target)
    assert resolve.call_count == 1
    resolve.side_effect, resolve.return_value = None, []
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    uncertified = failure_of("https://videos.example/a.mp4", target)
    for error, reason in ((unknown, "its name could"), (uncertified, "the certificates that REQUESTS_CA_BUNDLE names")):
        assert isinstance(error, HostUnreachable), reason
        assert f"could not be reached ({reason}" in error.message
    assert files(target) == []


def test_a_redirect_is_judged_like_a_link_and_final_but_one_to_a_host_that_cannot_be_reached(
    server: Loopback, target: Path
) -> None:
    server.answer = always(reply(302, headers={"Location": "https://videos.invalid/a.mp4"}))
    assert type(failure(server, target)) is HostUnreachable
    with Loopback(always(reply())) as other:
        for location, words in (
            ("https://10.0.0.1/a.mp4", "not a public address"),
            (f"https://127.1:{other.port}/a.mp4", "not a public address"),
            ("https://user:pass@videos.example/a.mp4", "user name"),
            (f"http://127.0.0.1:{other.port}/a.mp4", "redirects to one that is not https"),
            (f"{server.origin}0/a.mp4", "redirects to one that is not https"),
            ("file:///etc/passwd", "redirects to one that is not https"),
            ("/a.mp4", "redirects without end"),
            ("https://[::1/a.mp4", "not a valid"),
            ("https://videos.example:port/a.mp4", "not a valid"),
        ):
            server.received.clear()
            server.answer = always(reply(302, headers={"Location": location}))
            error = failure(server, target)
            assert words in error.message, location
            assert not isinstance(error, DownloadInterrupted), location
            assert len(server.received) == (MAX_REDIRECTS + 1 if location == "/a.mp4" else 1), location
            assert files(target) == [], location
        assert other.connections == 0


def test_a_link_or_a_proxy_that_cannot_be_used_is_said_and_final(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = "https://videos.example/a.mp4"
    for link_or_proxy, why in (
        ("https://*/a.mp4", "not a valid one"),
        ("https://a..b/a.mp4", "not a valid one"),
        ("socks5://127.0.0.1:9", "SOCKS proxies are not supported"),
        ("http://[", "address of the"),
    ):
        is_link = link_or_proxy.endswith("mp4")
        monkeypatch.setenv("HTTPS_PROXY", "" if is_link else link_or_proxy)
        error = failure_of(link_or_proxy if is_link else link, target)
        assert type(error) is VideoError, link_or_proxy
        assert why in error.message, link_or_proxy


def test_without_a_trusted_origin_only_public_links_are_followed(server: Loopback, target: Path) -> None:
    for link in ("http://127.0.0.1:9/a.mp4", "https://127.0.0.1/a.mp4", "file:///etc/passwd", "\ud800"):
        assert isinstance(failure_of(link, target), UnsafeUrl), link
    # Trust ends with the origin.
    for link in (
        *(f"{server.origin}0/a.mp4", f"{server.origin}@evil.example/a.mp4", f"{server.origin}.evil.example/"),
        *(f"{server.origin[:-1]}/a.mp4", f"http://localhost:{server.port}/a.mp4"),
    ):
        assert isinstance(failure_of(link, target, server.origin), UnsafeUrl), link
    assert server.connections == 0


def test_what_belongs_behind_a_video_is_there_once_however_many_attempts_it_took(
    server: Loopback, target: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched, trailer = breaks_off(server, target, half_of(data)), box(b"udta", b"a workflow")
    fetched.trailer, fetched.wait = lambda: trailer, lambda _: None
    server.answer = ranged(data, ETAG)
    with monkeypatch.context() as patched:
        held(patched, "replace", 100)
        with pytest.raises(DiskFailure, match="cannot be given its name"):
            attempt(fetched, server)
    attempt(fetched, server)
    assert (target.read_bytes(), files(target)) == (data + trailer, ["job-1.mp4"])


def test_a_video_arrives_without_what_the_disk_does_not_take_any_more(
    server: Loopback, target: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = always(reply(body=data))
    fetched = download(server, target)

    def trailer() -> bytes:
        monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
        return bytes(1000)

    fetched.trailer = trailer
    attempt(fetched, server)
    assert (target.read_bytes(), files(target)) == (data, ["job-1.mp4"])


class FullDisk(PosixPath):
    """A place where files can be made, but nothing can be written into them."""

    def open(self, *args: Any, **options: Any) -> IO[Any]:  # type: ignore[override]  # one shape for all overloads
        super().open(*args, **options).close()
        return Path("/dev/full").open("wb")


def test_a_disk_that_takes_nothing_is_said_and_keeps_nothing(server: Loopback, target: Path) -> None:
    with pytest.raises(DiskFailure, match="no space left"):
        attempt(download(server, FullDisk(target)), server)
    assert files(target) == []
    target.parent.rmdir()
    target.parent.write_bytes(b"a file where the folder should be")
    with pytest.raises(DiskFailure, match="cannot be written"):
        attempt(download(server, target), server)


def test_a_whole_file_whose_name_is_held_is_kept_and_waited_for(
    server: Loopback, target: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    with monkeypatch.context() as patched:
        held(patched, "replace", len(PAUSES))
        attempt(download(server, target, wait=waited.append), server)
    assert (waited, target.read_bytes(), files(target)) == (list(PAUSES), data, ["job-1.mp4"])
    target.unlink()
    fetched = download(server, target, wait=waited.append)
    with monkeypatch.context() as patched:
        held(patched, "replace", 100)
        with pytest.raises(DiskFailure, match="cannot be given its name") as raised:
            attempt(fetched, server)
    fetched.discard()
    (kept,) = files(target)
    assert str(target.with_name(kept)) in str(raised.value)
    assert target.with_name(kept).read_bytes() == data
    target.mkdir()  # a folder of that name is no better
    assert "cannot be given its name" in failure(server, target).message
    assert len(files(target)) == 3


def test_two_downloads_to_one_name_do_not_meet(server: Loopback, target: Path, data: bytes) -> None:
    first, second = breaks_off(server, target, half_of(data)), breaks_off(server, target, half_of(data))
    assert len(files(target)) == 2
    assert not any(name.endswith(".mp4") for name in files(target))
    first.discard()
    second.discard()
    assert files(target) == []
