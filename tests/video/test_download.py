"""A video from its link to a whole file under its name, through everything that may go wrong on the way."""

from __future__ import annotations

import errno
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path, PosixPath
from typing import IO, Any
from unittest.mock import Mock

import pytest

from nodes.errors import StopRequested
from nodes.video import errors
from nodes.video.download import MAX_OVERHEAD
from tests.support.loopback_server import CHUNKED, DEADLINE, Loopback, always, breaking_off, reply, silent_after
from tests.support.strict_files import held
from tests.support.tiny_mp4 import box
from tests.support.transfers import ETAG, attempt, breaks_off, download, failure, failure_of, files, half_of, ranged

ELSEWHERE = "https://videos.example/a.mp4"


def test_a_video_arrives_under_its_name_and_nothing_else_does(server: Loopback, target: Path, data: bytes) -> None:
    unstated = CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
    for total, sent in ((len(data), reply(body=data)), (None, unstated)):
        calls: list[tuple[int, int | None]] = []
        server.answer = always(sent)
        fetched = download(server, target)
        attempt(fetched, server, lambda *call, calls=calls: calls.append(call))
        fetched.discard()
        assert (target.read_bytes(), files(target)) == (data, ["job-1.mp4"])
        assert (calls[0], calls[-1]) == ((0, total), (len(data), total))
        assert [received for received, _ in calls] == sorted(received for received, _ in calls)
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_what_each_answer_means_and_that_it_leaves_nothing_behind(server: Loopback, target: Path, data: bytes) -> None:
    around = b"1;" + b"x" * 60_000 + b"\r\n"
    too_large = (
        reply(200, b"", {"Content-Length": str(len(data))}),
        b"HTTP/1.1 200 OK\r\n\r\n" + data,
        CHUNKED + (around + b"x\r\n") * (MAX_OVERHEAD // len(around) + 2 + len(data) // len(around)),
    )
    # Which redirects are followed is in test_url_policy.py.
    redirects = (
        ("https://videos.invalid/a.mp4", errors.HostUnreachable, "its name could not"),
        ("https://10.0.0.1/a.mp4", errors.UnsafeUrl, "not a public address"),
        ("https://[::1/a.mp4", errors.VideoError, "not a valid"),
        ("/a.mp4", errors.VideoError, "redirects without end"),
    )
    nonsense = (b"", CHUNKED + b"-1\r\n" + bytes(1000), CHUNKED + b"-5\r\n" + bytes(1000))
    rows: list[tuple[type[errors.VideoError], str, bytes]] = [
        *((errors.LinkExpired, str(status), reply(status)) for status in (401, 403, 404, 410)),
        *((errors.DownloadInterrupted, str(status), reply(status)) for status in (408, 429, 500, 502, 503, 504)),
        *((errors.DownloadInterrupted, "lost", sent) for sent in nonsense),
        *((errors.VideoError, str(status), reply(status)) for status in (204, 400, 405, 418, 451)),
        *((kind, words, reply(302, headers={"Location": location})) for location, kind, words in redirects),
        (errors.UnsupportedVideo, "not an MP4", reply(200, b"<html>This link has expired</html>")),
        (errors.UnsupportedVideo, "not an MP4", reply(200)),
        (errors.CorruptVideo, "incomplete", reply(200, data[: len(data) // 2])),
        *((errors.VideoError, "larger than", begun) for begun in too_large),
    ]
    for number, (kind, words, sent) in enumerate(rows):
        server.answer, place = breaking_off(sent), target.parent / str(number) / target.name
        error = failure(server, place, max_size=len(data) - (kind is errors.VideoError))
        assert type(error) is kind, sent[:50]
        assert words in error.message, sent[:50]
        assert files(place) == [] or sent in nonsense, sent[:50]


def test_a_length_that_makes_no_sense_does_no_harm(server: Loopback, target: Path, data: bytes) -> None:
    for length in ("-5", "many", "9" * 5000, "1e3"):
        server.answer = breaking_off(b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n" % length.encode() + data)
        attempt(download(server, target), server)
        assert target.read_bytes() == data, length


def stop_while(server: Loopback, target: Path, begun: bytes, trickle: bytes) -> None:
    """Stop a download whose server has sent something and then no more than a little."""
    stop = threading.Event()

    def answer(_: object) -> Iterator[bytes]:
        yield begun
        stop.set()
        yield trickle
        server.over.wait(DEADLINE)

    def check_stop() -> None:
        if stop.is_set():
            raise StopRequested

    server.answer, fetched = answer, download(server, target)
    with pytest.raises(StopRequested):
        attempt(fetched, server, check_stop=check_stop)
    fetched.discard()


def test_stop_is_seen_between_two_pieces_however_small(server: Loopback, target: Path) -> None:
    """Whoever sends them may go on for ever, and threads are few."""
    with pytest.raises(StopRequested):
        attempt(download(server, target), server, check_stop=Mock(side_effect=StopRequested))
    assert server.received == []
    for begun, trickle in (
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", b"x"),
        (CHUNKED + b"5;", b"x"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: y\r\n"),
    ):
        stop_while(server, target, begun, trickle)
        assert files(target) == [], begun


def test_a_trickle_is_cut_by_the_time_limit_of_an_attempt(server: Loopback, target: Path, data: bytes) -> None:
    server.answer = silent_after(server, reply(200, data[:10], {"Content-Length": str(len(data))} | ETAG))
    late = threading.Event()
    fetched = download(server, target, clock=lambda: 600.1 if late.is_set() else 0.0)
    with pytest.raises(errors.DownloadInterrupted, match="time-out"):
        attempt(fetched, server, lambda received, total: late.set() if received else None)
    assert fetched.received == 10


def test_a_host_that_cannot_be_reached_is_asked_for_once(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = Mock(side_effect=socket.gaierror(-2, "Name or service not known"))
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    error = failure_of(ELSEWHERE, target)
    assert (type(error), resolve.call_count) == (errors.HostUnreachable, 1)
    assert "could not be reached (its name could" in error.message


def test_a_link_or_a_proxy_that_cannot_be_used_is_said_and_final(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for link, proxy, why in (
        ("https://*/a.mp4", "", "not a valid one"),
        ("https://a..b/a.mp4", "", "not a valid one"),
        ("\ud800", "", "not a valid one"),
        (ELSEWHERE, "socks5://127.0.0.1:9", "SOCKS proxies are not supported"),
        (ELSEWHERE, "http://[", "address of the"),
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        error = failure_of(link, target)
        assert type(error) is errors.VideoError, (link, proxy)
        assert why in error.message, (link, proxy)


def test_what_belongs_behind_a_video_is_there_once_however_many_attempts_it_took(
    server: Loopback, target: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched, trailer = breaks_off(server, target, half_of(data)), box(b"udta", b"a workflow")
    fetched.trailer, fetched.wait = lambda: trailer, lambda _: None
    server.answer = ranged(data, ETAG)
    with monkeypatch.context() as patched:
        held(patched, "replace", 100)
        with pytest.raises(errors.DiskFailure, match="cannot be given its name"):
            attempt(fetched, server)
    attempt(fetched, server)
    assert (target.read_bytes(), files(target)) == (data + trailer, ["job-1.mp4"])


def test_what_belongs_behind_a_video_waits_for_a_scanner_of_new_files_and_is_left_out_where_the_disk_is_full(
    server: Loopback, target: Path, data: bytes
) -> None:
    server.answer, workflow = always(reply(body=data)), box(b"udta", b"a workflow")
    full = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    for trouble, arrives in (("a scanner", data + workflow), ("a full disk", data)):
        fetched = download(server, target, wait=lambda _: None)
        with pytest.MonkeyPatch.context() as patched:

            def trailer(trouble: str = trouble, patched: pytest.MonkeyPatch = patched) -> bytes:
                if trouble == "a scanner":
                    held(patched, "open", 3)
                else:
                    patched.setattr("nodes.video.download.sync", full)
                return workflow

            fetched.trailer = trailer
            attempt(fetched, server)
        assert (target.read_bytes(), files(target)) == (arrives, ["job-1.mp4"]), trouble


class FullDisk(PosixPath):
    """A place where files can be made, but nothing can be written into them."""

    def open(self, *args: Any, **options: Any) -> IO[Any]:  # type: ignore[override]  # one shape for all overloads
        super().open(*args, **options).close()
        return Path("/dev/full").open("wb")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/full")
def test_a_disk_that_takes_nothing_is_said_and_keeps_nothing(server: Loopback, target: Path) -> None:
    with pytest.raises(errors.DiskFailure, match="no space left"):
        attempt(download(server, FullDisk(target)), server)
    assert files(target) == []
    target.parent.rmdir()
    target.parent.write_bytes(b"a file where the folder should be")
    with pytest.raises(errors.DiskFailure, match="cannot be written"):
        attempt(download(server, target), server)


def test_a_whole_file_that_cannot_be_given_its_name_is_kept(server: Loopback, target: Path, data: bytes) -> None:
    target.mkdir(parents=True)
    fetched = download(server, target, wait=lambda _: None)
    with pytest.raises(errors.DiskFailure, match="cannot be given its name") as raised:
        attempt(fetched, server)
    fetched.discard()
    (kept,) = (target.with_name(name) for name in files(target) if name != target.name)
    assert str(kept) in str(raised.value)
    assert kept.read_bytes() == data
