"""Every answer is complete in time, or is given up, however slowly it trickles in."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from itertools import chain, count, repeat

import pytest
import requests

from nodes.wire import BoundedAdapter
from tests.loopback import DEADLINE, Loopback, Received, always, reply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(always(reply(body=b"hello"))) as server:
        yield server


def session(seconds: float = DEADLINE, clock: Callable[[], float] | None = None) -> requests.Session:
    bounded = requests.Session()
    bounded.trust_env = False
    bounded.mount("http://", BoundedAdapter(seconds, clock) if clock else BoundedAdapter(seconds))
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
