"""A proxy in front of a service that breaks one call, once, on real sockets."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.support.loopback_server import DEADLINE, Hangup, Loopback, Received, Reset, reply
from tests.support.rehearsal import RehearsalService

_CALLS = {
    "submit": re.compile("POST /v1/models/"),
    "status": re.compile("GET /v1/requests/[^/]+/status"),
    "result": re.compile("GET /v1/requests/[^/]+/result"),
    "cancel": re.compile("POST /v1/requests/[^/]+/cancel"),
    "media": re.compile("GET /media/"),
}


def call_of(line: str) -> str:
    """Which call begins with this line."""
    return next((name for name, pattern in _CALLS.items() if pattern.match(line)), "other")


@dataclass(frozen=True)
class Exchange:
    """One request, and the service that has not seen it yet."""

    request: Received
    real: str
    """The origin of the service."""
    origin: str
    """By which the client knows it."""
    over: threading.Event
    """Set when the test is over; for faults that would last for ever."""

    def healthy(self) -> tuple[int, bytes]:
        """Let the service act on the request; its answer."""
        upstream = http.client.HTTPConnection(self.real.removeprefix("http://"), timeout=DEADLINE)
        try:
            request = self.request
            token = {"Authorization": request.headers.get("authorization", "")}
            upstream.request(request.method, request.target, request.body, token)
            answer = upstream.getresponse()
            content = answer.read().replace(self.real.encode(), self.origin.encode())
            return answer.status, content
        finally:
            upstream.close()


Fault = Callable[[Exchange], Iterable[bytes]]
"""What the broken call is sent, or `Hangup` or `Reset`; its connection ends with it."""


def last(status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """An answer after which the connection ends, and says so: a client must not send another call on it."""
    return reply(status, body, {"Connection": "close"} | dict(headers or {}))


def reset_unread(_: Exchange) -> Iterable[bytes]:
    """The one fault that strikes before a byte of the request is read."""
    raise Reset


class FaultyService(Loopback):
    """Passes everything on to ``real``, but for the first call of the armed kind.

    Args:
        keep_alive: whether a connection lasts for more than one call.
    """

    def __init__(self, real: RehearsalService, *, keep_alive: bool = False) -> None:
        self.real = real
        self.struck = 0
        """How often the armed fault has struck."""
        self._armed: tuple[str, Fault | None] = ("", None)
        self._keep_alive = keep_alive
        super().__init__(self._pass_on, self._look)

    def arm(self, call: str, fault: Fault | None) -> None:
        """Break the next ``call``; without a fault, by refusing the connection that would carry it."""
        self._armed = (call, fault)
        if fault is None and call == "submit":
            self.shut()

    def lose_request_ids(self, meanwhile: Callable[[], object] = bool) -> None:
        """Let the service take every job from now on, and lose its answer once ``meanwhile`` has returned."""

        def lose(exchange: Exchange) -> Iterable[bytes]:
            self.arm("submit", lose)
            exchange.healthy()
            meanwhile()
            raise Reset

        self.arm("submit", lose)

    def mend(self) -> None:
        """Break nothing more."""
        self._armed = ("", None)

    def refuses(self, call: str) -> bool:
        """Whether the next ``call`` is to be refused its connection."""
        return self._armed == (call, None)

    def open_again(self) -> None:
        """Take connections again, if they were refused. Counts as the fault having struck."""
        self.struck += self.open()

    def fault_for(self, call: str) -> Fault | None:
        """What is to happen to a call that has come."""
        armed, fault = self._armed
        if call != armed or fault is None:
            return None
        self.mend()
        self.struck += 1
        return fault

    def _look(self, connection: socket.socket) -> socket.socket:
        if self._armed[1] is reset_unread:
            while b"\r\n" not in (line := connection.recv(4096, socket.MSG_PEEK)) and line:
                pass
            if call_of(line.decode("latin-1")) == self._armed[0]:
                self.fault_for(self._armed[0])
                raise Reset
        return connection

    def _pass_on(self, request: Received) -> Iterator[bytes]:
        exchange = Exchange(request, self.real.origin, self.origin, self.over)
        call = call_of(f"{request.method} {request.target}")
        if fault := self.fault_for(call):
            yield from fault(exchange)
            raise Hangup
        status, body = exchange.healthy()
        armed, fault = self._armed
        if fault is None and armed == _next_call(call, body):
            self.mend()
            self.shut()
        yield (reply if self._keep_alive else last)(status, body)
        if not self._keep_alive:
            raise Hangup


def _next_call(call: str, body: bytes) -> str:
    """What a client calls after this answer."""
    if call == "status":
        return "status" if json.loads(body).get("status") == "in_queue" else "result"
    if call == "result":
        return "media" if json.loads(body).get("status") == "succeeded" else "result"
    return "status" if call == "submit" else "none"
