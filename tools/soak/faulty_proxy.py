"""A proxy in front of a service that passes calls on, and breaks some of them. Also: a restart of the service."""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from random import Random
from typing import Final
from urllib.parse import urlsplit

PATIENCE: Final = 60.0
"""Seconds without a byte after which a connection is given up."""
PIECE: Final = 64 * 1024


class Fault(Enum):
    """What may happen to an exchange; the value is for the report."""

    RESET_BEFORE = "reset before the service hears of it"
    RESET_AFTER = "reset after the service has acted"
    CUT = "answer cut off"
    LIMITED = "429"
    BROKEN = "500"
    UNAVAILABLE = "503"
    PAGE = "a page of HTML"


_CANNED: Final = {
    Fault.LIMITED: b"HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    Fault.BROKEN: b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    Fault.UNAVAILABLE: b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    Fault.PAGE: b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n<html>Hello</html>\r\n",
}


class FaultyProxy:
    """Listens on a port of its own. A context manager."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._behind = ("", 0)
        self.chance = 0.0
        """Of a fault, for every exchange."""
        self.injected: Counter[Fault] = Counter()
        self.is_open = True
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = int(self._listener.getsockname()[1])
        self.origin = f"http://127.0.0.1:{self._port}"
        _in_thread(self._accept, self._listener)

    def forward_to(self, origin: str) -> None:
        """Say where the service is."""
        parts = urlsplit(origin)
        self._behind = (parts.hostname or "", parts.port or 0)

    def __enter__(self) -> FaultyProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """As when the service ends: refuse new connections and end the others."""
        self.is_open = False
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                _reset(connection)

    def reopen(self) -> None:
        """As when it has started again."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self.is_open = True
        _in_thread(self._accept, self._listener)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            with self._lock:
                self._open.add(connection)
            _in_thread(self._serve, connection)

    def _serve(self, client: socket.socket) -> None:
        try:
            with suppress(OSError), client, socket.create_connection(self._behind, PATIENCE) as service:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                service.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # The pack's requests are small: each comes in one or two pieces, and its answer is awaited.
                while self._exchange(client, service):
                    pass
        finally:
            with self._lock:
                self._open.discard(client)

    def _exchange(self, client: socket.socket, service: socket.socket) -> bool:
        """Hand one request and its answer through; whether the connection is still of use."""
        request = _message(client)
        if not request:
            return False
        fault = self._fault()
        if fault is Fault.RESET_BEFORE:
            _reset(client)
            return False
        if canned := _CANNED.get(fault) if fault else None:
            client.sendall(canned)
            return False
        service.sendall(request)
        answer = _message(service)
        if fault is Fault.RESET_AFTER:
            _reset(client)
            return False
        client.sendall(answer[: len(answer) * 2 // 3] if fault is Fault.CUT else answer)
        return fault is None and bool(answer)

    def _fault(self) -> Fault | None:
        with self._lock:
            if self._random.random() >= self.chance:
                return None
            fault = self._random.choice(list(Fault))
            self.injected[fault] += 1
            return fault


def _message(connection: socket.socket) -> bytes:
    """A whole HTTP message whose length its head tells; nothing if the connection ends before."""
    content = b""
    while b"\r\n\r\n" not in content:
        if not (piece := connection.recv(PIECE)):
            return b""
        content += piece
    head, _, body = content.partition(b"\r\n\r\n")
    lines = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
    length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
    pieces = [content]
    missing = length - len(body)
    while missing > 0 and (piece := connection.recv(PIECE)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _reset(connection: socket.socket) -> None:
    """Break it off as a crashed machine does."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def _in_thread(work: Callable[[socket.socket], None], connection: socket.socket) -> None:
    threading.Thread(target=work, args=(connection,), daemon=True).start()
