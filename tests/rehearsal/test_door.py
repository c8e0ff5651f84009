"""How many connections the service takes on, however many are made, and whom it hangs up on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from nodes.rehearsal import RehearsalService
from nodes.rehearsal import server as wire
from nodes.rehearsal.door import PLACES
from tests.support.rehearsal_client import MODEL_PATH, OWNER, SHORT, HandClock, HurryingClock, RehearsalClient, Stage

FLOOD = 150
"""Connections; well more than there are places, and few enough for a process that may have 256 open files."""
ASKING = f"GET {MODEL_PATH} HTTP/1.1\r\nAuthorization: Bearer {OWNER}\r\n\r\n".encode()


@pytest.fixture
def hurried(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[RehearsalClient]:
    """At a service by whose clock every client is slow, and where none leaves by itself."""
    monkeypatch.setattr(wire._Handler, "timeout", 300)
    clock = HurryingClock()
    with RehearsalService(tokens=(OWNER,), clock=clock) as service:
        yield RehearsalClient(service, clock)


@pytest.fixture
def lines() -> Iterator[ExitStack]:
    """Closes what it is given."""
    with ExitStack() as lines:
        yield lines


def flood(client: RehearsalClient, lines: ExitStack, count: int = FLOOD) -> list[socket.socket]:
    """So many connections on which nothing is said."""
    return [lines.enter_context(client.line()) for _ in range(count)]


def test_a_flood_takes_no_more_than_its_places(hurried: RehearsalClient, lines: ExitStack) -> None:
    before = threading.active_count()
    silent = flood(hurried, lines)
    assert hurried.call("GET", MODEL_PATH).status_code == 200
    # All were made before the one that was answered, so none of them waits to be taken any more. Threads whose
    # connection has just been closed may not quite have ended.
    assert threading.active_count() - before < PLACES + 10
    assert {line.recv(1) for line in silent[: FLOOD - PLACES]} == {b""}


def test_the_last_to_come_are_kept(hurried: RehearsalClient, lines: ExitStack) -> None:
    silent = flood(hurried, lines)
    assert hurried.call("GET", MODEL_PATH).status_code == 200
    silent[-1].sendall(ASKING)
    assert silent[-1].recv(15) == b"HTTP/1.1 200 OK"


def test_those_who_were_answered_once_make_room_too(hurried: RehearsalClient, lines: ExitStack) -> None:
    for line in flood(hurried, lines, PLACES):
        line.sendall(ASKING)
        assert line.recv(15) == b"HTTP/1.1 200 OK"
    assert hurried.call("GET", MODEL_PATH).status_code == 200


def test_a_download_under_way_goes_on_through_a_flood(hurried: RehearsalClient, stage: Stage, lines: ExitStack) -> None:
    stage.length = 16 * 2**20
    job = hurried.submit()
    hurried.finish(job)
    whole = hurried.film(job).content
    line = lines.enter_context(hurried.line())
    line.sendall(f"GET /media/{job}.mp4 HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
    begin = line.recv(2000)
    last = flood(hurried, lines)[-1]
    last.sendall(ASKING)
    assert last.recv(15) == b"HTTP/1.1 200 OK"
    rest = b"".join(iter(lambda: line.recv(2**20), b""))
    assert (begin + rest).partition(b"\r\n\r\n")[2] == whole


def test_a_request_that_stays_incomplete_keeps_nobody_out(hurried: RehearsalClient, lines: ExitStack) -> None:
    for line in flood(hurried, lines, PLACES):
        line.sendall(ASKING.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\n{"))
    hurried.submit(SHORT)
    assert len(hurried.service.submissions) == 1


def test_whoever_comes_while_nobody_is_slow_waits_for_a_place(client: RehearsalClient, lines: ExitStack) -> None:
    silent = flood(client, lines, PLACES)
    late = lines.enter_context(client.line())
    late.sendall(ASKING)
    silent[-1].close()
    assert late.recv(15) == b"HTTP/1.1 200 OK"
    silent[0].sendall(ASKING)
    assert silent[0].recv(15) == b"HTTP/1.1 200 OK"


def test_stop_does_not_wait_for_a_place(client: RehearsalClient, lines: ExitStack) -> None:
    silent = flood(client, lines, PLACES)
    late = lines.enter_context(client.line())
    late.sendall(ASKING)
    silent[-1].sendall(ASKING)
    assert silent[-1].recv(15) == b"HTTP/1.1 200 OK"  # so the others are inside too
    client.service.stop()
    assert silent[0].recv(1) == b""
    with suppress(ConnectionResetError):
        assert late.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        client.line()


def test_a_connection_on_which_nothing_is_said_ends(
    stage: Stage, lines: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wire._Handler.timeout <= 30
    monkeypatch.setattr(wire._Handler, "timeout", 0.1)
    clock = HandClock()
    with RehearsalService(clock=clock) as service:
        line = lines.enter_context(RehearsalClient(service, clock).line())
        assert line.recv(1) == b""
