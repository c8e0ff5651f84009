"""A rehearsal service behind a door that breaks one call, once, on real sockets."""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from tests.support.loopback_server import wake
from tests.support.rehearsal import RehearsalService

PATIENCE = 30.0
"""Seconds after which a socket of a test has failed."""

_CALLS = {
    "submit": re.compile(rb"POST /v1/models/"),
    "status": re.compile(rb"GET /v1/requests/[^/]+/status"),
    "result": re.compile(rb"GET /v1/requests/[^/]+/result"),
    "cancel": re.compile(rb"POST /v1/requests/[^/]+/cancel"),
    "media": re.compile(rb"GET /media/"),
}


class Exchange:
    """One connection with one request on it, not yet read."""

    def __init__(self, connection: socket.socket, service: FaultyService) -> None:
        self._connection = connection
        self._service = service
        self.origin = service.origin
        self.over = service.over
        """Set when the test is over; for faults that would last for ever."""

    def call(self) -> str:
        """Which call it is, looked up without taking a byte from the socket."""
        while b"\r\n" not in (line := self._connection.recv(4096, socket.MSG_PEEK)):
            if not line:
                return "none"
        return next((name for name, pattern in _CALLS.items() if pattern.match(line)), "other")

    def read(self) -> tuple[str, str, dict[str, str], bytes]:
        """Take the whole request: method, target, headers, body."""
        with self._connection.makefile("rb") as stream:
            method, target, _ = stream.readline().decode("latin-1").split()
            headers = {}
            while line := stream.readline().decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            return method, target, headers, stream.read(int(headers.get("content-length", "0")))

    def healthy(self) -> tuple[int, dict[str, str], bytes]:
        """Read the request and let the service act on it; its answer."""
        method, target, headers, body = self.read()
        upstream = http.client.HTTPConnection(urlsplit(self._service.real.origin).netloc, timeout=PATIENCE)
        try:
            kept = {name: value for name, value in headers.items() if name in ("authorization", "range", "if-range")}
            upstream.request(method, target, body, kept)
            answer = upstream.getresponse()
            content = answer.read().replace(self._service.real.origin.encode(), self.origin.encode())
            told = {name: value for name, value in answer.getheaders() if name.lower() in ("etag", "content-range")}
            return answer.status, told, content
        finally:
            upstream.close()

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send a whole answer."""
        self.send(head(status, {"Content-Length": str(len(body))} | headers) + body)

    def send(self, content: bytes) -> None:
        """Send raw bytes. Raises `OSError` once the client has gone."""
        self._connection.sendall(content)

    def reset(self) -> None:
        """Break the connection off as a crashed machine does."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()


Fault = Callable[[Exchange], None]
"""What is done to the broken call instead of answering it."""


def head(status: int, headers: dict[str, str]) -> bytes:
    """The head of an answer after which the connection ends."""
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


class FaultyService:
    """Passes everything on to ``real``, but for the first call of the armed kind. A context manager."""

    def __init__(self, real: RehearsalService) -> None:
        self.real = real
        self.over = threading.Event()
        self.struck = 0
        """How often the armed fault has struck."""
        self._armed: tuple[str, Fault | None] = ("", None)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = int(self._listener.getsockname()[1])
        self.origin = f"http://127.0.0.1:{self._port}"
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._open = True
        self._accepting = self._start(self._accept, self._listener)

    def __enter__(self) -> FaultyService:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shut()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def arm(self, call: str, fault: Fault | None) -> None:
        """Break the next ``call``; without a fault, by refusing the connection that would carry it."""
        self._armed = (call, fault)
        if fault is None and call == "submit":
            self.shut()

    def lose_answers(self, call: str, meanwhile: Callable[[], object] = bool) -> None:
        """Let the service act on every ``call`` from now on, and lose its answer once ``meanwhile`` has returned."""

        def lose(exchange: Exchange) -> None:
            self.arm(call, lose)
            exchange.healthy()
            meanwhile()
            exchange.reset()

        self.arm(call, lose)

    def mend(self) -> None:
        """Break nothing more."""
        self._armed = ("", None)

    def refuses(self, call: str) -> bool:
        """Whether the next ``call`` is to find the door shut."""
        return self._armed == (call, None)

    def shut(self) -> None:
        """Refuse every connection from now on."""
        with self._lock:
            if self._open:
                self._open = False
                wake(self._listener)
                self._accepting.join(PATIENCE)
                self._listener.close()

    def open_again(self) -> None:
        """Take connections again, if they were refused. Counts as the fault having struck."""
        with self._lock:
            if not self._open:
                self._open = True
                self.struck += 1
                self._listener = socket.create_server(("127.0.0.1", self._port))
                self._accepting = self._start(self._accept, self._listener)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            if not self._open:
                connection.close()
                return
            connection.settimeout(PATIENCE)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            exchange = Exchange(connection, self)
            call, (armed, fault) = exchange.call(), self._armed
            if call == armed and fault is not None:
                self._armed = ("", None)
                self.struck += 1
                fault(exchange)
            elif call != "none":
                status, headers, body = exchange.healthy()
                if fault is None and armed == _next_call(call, body):
                    self._armed = ("", None)
                    self.shut()
                exchange.answer(status, headers, body)

    def _start(self, work: Callable[[socket.socket], None], with_socket: socket.socket) -> threading.Thread:
        thread = threading.Thread(target=work, args=(with_socket,), daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread


def _next_call(call: str, body: bytes) -> str:
    """What a client calls after this answer."""
    if call == "status":
        return "status" if json.loads(body).get("status") == "in_queue" else "result"
    if call == "result":
        return "media" if json.loads(body).get("status") == "succeeded" else "result"
    return "status" if call == "submit" else "none"
