"""Every answer is complete in time and within its size, or is given up, however it comes in."""

from __future__ import annotations

import http.client
import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain, count, repeat

import pytest
import requests

from nodes.http_client import InvalidProxy, LimitedAdapter, ResponseLimits, ResponseTooLarge, Session, cancellable
from tests.support.loopback_server import DEADLINE, Hangup, Loopback, Received, always, reply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SIZE = 100_000
"""Bytes of an answer at most."""


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(always(reply(body=b"hello"))) as server:
        yield server


def session(
    seconds: float = DEADLINE, clock: Callable[[], float] = time.monotonic, head: float = DEADLINE
) -> requests.Session:
    bounded = Session()
    bounded.trust_env = False
    for scheme in ("http://", "https://"):
        bounded.mount(scheme, LimitedAdapter(ResponseLimits(seconds, SIZE, head), clock))
    return bounded


def trickling(server: Loopback, *pieces: bytes) -> None:
    def answer(_: Received) -> Iterator[bytes]:
        yield from pieces
        server.over.wait(DEADLINE)

    server.answer = answer


def in_steps() -> Callable[[], float]:
    """A clock on which a second passes between any two looks."""
    seconds = count(0.0)
    return lambda: next(seconds)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\n", *[b"X-More: and more\r\n"] * 90),
        (HEAD, *[b"x"] * 50),
        (b"HTTP/1.1 100 Continue\r\n\r\n",),
    ],
    ids=["head", "body", "interim"],
)
def test_what_trickles_is_given_up_when_the_time_is_over(server: Loopback, pieces: tuple[bytes, ...]) -> None:
    trickling(server, *pieces)
    with pytest.raises(requests.RequestException, match="timed out"):
        session(0.5).get(server.origin, timeout=None)


def test_the_time_counts_and_not_the_pieces(server: Loopback) -> None:
    trickling(server, HEAD)
    clock = chain([0.0], repeat(10.1))
    with pytest.raises(requests.ReadTimeout):
        session(10, lambda: next(clock)).get(server.origin, timeout=None)


def test_a_pause_is_still_bounded_by_its_own_limit(server: Loopback) -> None:
    trickling(server, b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(requests.ReadTimeout):
        session().get(server.origin, timeout=(DEADLINE, 0.1))


def test_the_time_begins_anew_with_every_answer_of_a_connection(server: Loopback) -> None:
    bounded = session(50, in_steps())
    for _ in range(40):
        assert bounded.get(server.origin).content == b"hello"
    assert server.connections == 1


def test_through_a_proxy_it_is_the_same(server: Loopback) -> None:
    trickling(server, HEAD)
    with pytest.raises(requests.RequestException, match="timed out"):
        session(0.3).get("http://videos.invalid/", proxies={"http": server.origin}, timeout=None)


def test_nothing_is_printed_even_where_somebody_turned_that_on(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    requests.get(server.origin, headers={"Authorization": "shown"}, timeout=DEADLINE)
    assert "shown" in capsys.readouterr().out, "so that this test can fail"
    session().get(server.origin, headers={"Authorization": "hidden"})
    assert capsys.readouterr().out == ""


def test_a_head_has_a_limit_of_its_own(server: Loopback) -> None:
    trickling(server, b"HTTP/1.1 200 OK\r\n")
    clock = chain([0.0], repeat(30.1))
    with pytest.raises(requests.ReadTimeout):
        session(660, lambda: next(clock), head=30).get(server.origin, timeout=None)


def test_which_ends_with_the_head(server: Loopback) -> None:
    """The body comes when the time of the head is long over."""
    late = threading.Event()

    def answer(_: Received) -> Iterator[bytes]:
        yield HEAD
        assert late.wait(DEADLINE)
        yield bytes(100)

    server.answer = answer
    with session(660, lambda: 600.0 if late.is_set() else 0.0, head=30).get(server.origin, stream=True) as slow:
        late.set()
        assert len(slow.content) == 100


def test_a_tunnel_of_a_proxy_is_bounded_as_well(server: Loopback) -> None:
    trickling(server, b"HTTP/1.1 200 OK\r\n", *[b"X-More: and more\r\n"] * 90)
    with pytest.raises(requests.RequestException, match="timed out"):
        session(0.3).get("https://videos.invalid/", proxies={"https": server.origin}, timeout=None)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n",) * (SIZE // 25 + 1),
        (b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 50_000 + b"\r\n"] * 3),
        (b"HTTP/1.1 200 OK\r\n\r\n", bytes(SIZE)),
        (CHUNKED, *[b"1\r\nx\r\n"] * (SIZE // 6 + 1)),
        (CHUNKED, b"0\r\n", *[b"X-Trailer: and more\r\n"] * (SIZE // 20)),
    ],
    ids=["interim", "head", "body", "chunks", "trailer"],
)
def test_what_is_too_long_is_given_up_before_its_end(server: Loopback, pieces: tuple[bytes, ...]) -> None:
    trickling(server, *pieces)
    with pytest.raises(ResponseTooLarge):
        session().get(server.origin)


def test_as_long_as_it_may_be_is_not_too_long(server: Loopback) -> None:
    def of_size(size: int) -> bytes:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %06d\r\n\r\n"
        length = size - len(head % 0)
        return head % length + bytes(length)

    bounded = session()
    server.answer = always(of_size(SIZE))
    for _ in range(2):
        assert bounded.get(server.origin).content
    server.answer = always(of_size(SIZE + 1))
    with pytest.raises(ResponseTooLarge):
        bounded.get(server.origin)


@pytest.mark.parametrize("size", [b"-1", b"-5", b"-ffffffffffff"])
def test_a_chunk_of_negative_size_is_not_read_to_the_end_of_all_days(server: Loopback, size: bytes) -> None:
    trickling(server, CHUNKED + size + b"\r\n" + bytes(50_000))
    with pytest.raises(requests.RequestException, match="IncompleteRead"):
        session().get(server.origin)


def test_whoever_is_asked_ends_an_answer_that_goes_on(server: Loopback) -> None:
    """Also within its head, and for its own exchanges only."""

    class Enough(Exception):
        pass

    enough = threading.Event()

    def endless(_: Received) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        enough.set()
        yield b"X: "
        while not server.over.is_set():
            yield b"y"

    def go_on() -> None:
        if enough.is_set():
            raise Enough

    server.answer = endless
    bounded = session()
    with cancellable(go_on), pytest.raises(Enough):
        bounded.get(server.origin)
    server.answer = always(reply(body=b"hello"))
    assert bounded.get(server.origin).content == b"hello"


@pytest.mark.parametrize("head", [b"Content-Length: 5\r\nhidden was sent", b" hidden was sent\r\nContent-Length: 5"])
def test_what_is_no_header_line_is_not_logged(server: Loopback, caplog: pytest.LogCaptureFixture, head: bytes) -> None:
    def answer(_: Received) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n%b\r\n\r\nhello" % head
        raise Hangup

    server.answer = answer
    caplog.set_level(logging.NOTSET)
    requests.get(server.origin, timeout=DEADLINE)
    assert "hidden" in caplog.text, "so that this test can fail"
    caplog.clear()
    session().get(server.origin)
    assert server.origin.rpartition(":")[2] in caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        *((f"{kind}://127.0.0.1:9", "SOCKS proxies are not supported") for kind in ("socks4", "socks5", "SOCKS5h")),
        *(
            (each, "not a valid one")
            for each in ("http://", "http://[", "http://a:port", "http://a:99999", "ftp://a", ":")
        ),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_as_one(proxy: str, why: str) -> None:
    for scheme in ("http", "https"):
        with pytest.raises(InvalidProxy, match=why):
            session().get(f"{scheme}://videos.invalid/", proxies={scheme: proxy})


@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "127.0.0.1:{}", "HTTP://user:word@127.0.0.1:{}/"])
def test_one_that_can_is_used(server: Loopback, form: str) -> None:
    proxies = {"http": form.format(server.port)}
    assert session().get("http://videos.invalid/", proxies=proxies).content == b"hello"
