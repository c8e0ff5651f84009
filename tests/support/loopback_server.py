"""A server on real sockets that answers with exactly the bytes a test wants, and breaks off where it wants."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import trustme

if TYPE_CHECKING:
    from typing_extensions import Self

AUTHORITY = trustme.CA()
"""Vouches for every server here that speaks TLS, as 127.0.0.1 and localhost."""
CERTIFICATE = AUTHORITY.issue_cert("127.0.0.1", "localhost")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DEADLINE = 30.0
"""Seconds after which a test that waits for a thread or a socket has failed."""


@dataclass(frozen=True)
class Received:
    """One request. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    """Counts the connections from 0."""


Answer = Callable[[Received], Iterable[bytes]]
"""The pieces to send. Ending with `Hangup` or `Reset` breaks the connection off."""


class Hangup(Exception):
    """Close the connection in the regular way."""


class Reset(Exception):
    """Close it as a crashed machine does."""


Greeting = Callable[[socket.socket], socket.socket]
"""Done with each new connection; gives the one to go on with, or raises `Hangup` or `Reset`."""


def plain(connection: socket.socket) -> socket.socket:
    """HTTP begins at once."""
    return connection


def tls(connection: socket.socket) -> socket.socket:
    """HTTP begins after a TLS handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(context)
    return context.wrap_socket(connection, server_side=True)


class Loopback:
    """Listens on 127.0.0.1 and gives every request to ``answer``. A context manager."""

    def __init__(self, answer: Answer, greeting: Greeting = plain) -> None:
        self.answer = answer
        self.greeting = greeting
        self.received: list[Received] = []
        self.connections = 0
        self.over = threading.Event()
        """Set when the test is over; for answers that never end by themselves."""
        self.is_shut = True
        self.port = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.open()

    @property
    def origin(self) -> str:
        return f"{'https' if self.greeting is tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shut()
        self.end_connections()
        for thread in self._threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()

    def open(self) -> bool:
        """Take connections, at the same port as before. Whether they were refused."""
        with self._lock:
            was_shut, self.is_shut = self.is_shut, False
            if was_shut:
                self._listener = socket.create_server(("127.0.0.1", self.port))
                self.port = int(self._listener.getsockname()[1])
                self._accepting = self._start(self._accept, self._listener)
            return was_shut

    def shut(self) -> None:
        """Refuse every connection from now on; those that are open stay."""
        with self._lock:
            if not self.is_shut:
                self.is_shut = True
                with socket.socket() as caller:  # that a socket is closed ends a wait in `accept` on Linux only
                    caller.settimeout(DEADLINE)
                    caller.connect(("127.0.0.1", self.port))
                self._accepting.join(DEADLINE)
                self._listener.close()

    def end_connections(self) -> None:
        """End all that are open."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _start(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            if self.is_shut:
                connection.close()
                return
            connection.settimeout(DEADLINE)
            self._open.add(connection)
            self._start(self._serve, connection, self.connections)
            self.connections += 1

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(Hangup, OSError), ExitStack() as closing:
            closing.callback(self._open.discard, connection)
            closing.callback(connection.close)
            try:
                ready = closing.enter_context(self.greeting(connection))
                self._open.add(ready)
                closing.callback(self._open.discard, ready)
                stream = closing.enter_context(ready.makefile("rb"))
                while request := self._request(stream, number):
                    self.received.append(request)
                    for piece in self.answer(request):
                        ready.sendall(piece)
            except Reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _request(self, stream: BinaryIO, number: int) -> Received | None:
        words = stream.readline(65536).decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/"):
            return None
        headers = {}
        while head := stream.readline(65536).decode("latin-1").strip():
            name, _, value = head.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", "0")))
        return Received(words[0], words[1], headers, body, number)


def reply(status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP answer, its length stated unless ``headers`` state another."""
    lines = {"Content-Length": str(len(body))} | dict(headers or {})
    head = f"HTTP/1.1 {status} Some Reason\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return head.encode("latin-1") + b"\r\n" + body


def always(*pieces: bytes) -> Answer:
    """The same answer to everything."""
    return lambda _: pieces


def breaking_off(*pieces: bytes, how: type[Exception] = Hangup) -> Answer:
    """So much to everything, and no more."""

    def answer(_: Received) -> Iterator[bytes]:
        yield from pieces
        raise how

    return answer


def silent_after(server: Loopback, *pieces: bytes) -> Answer:
    """So much to everything, and then nothing, on a connection that stays."""

    def answer(_: Received) -> Iterator[bytes]:
        yield from pieces
        server.over.wait(DEADLINE)

    return answer


def no_tls(sent: bytes = b"", how: type[Exception] = Hangup) -> Greeting:
    """A greeting of what takes no TLS, but sends so much and ends: a service that restarts, a captive portal, say."""

    def greet(connection: socket.socket) -> socket.socket:
        connection.recv(1)
        connection.sendall(sent)
        raise how

    return greet
