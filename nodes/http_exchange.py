"""One HTTP exchange over urllib3's connections: its limits of time and size, and whether its request was sent."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class ResponseTooLarge(Exception):
    """A response of more bytes than it may have."""


@dataclass(eq=False)
class Exchange:
    """One request, with its redirects, from connecting to the end of the response.

    A context manager: requests that a `LimitedAdapter` sends inside the block belong to it; outside, it sends none.
    """

    seconds: float
    """For all of it, from now on."""
    max_size: int
    """Bytes of a response as they come over the wire, those of its head included."""
    clock: Callable[[], float] = time.monotonic
    _: KW_ONLY
    before_first_byte: Callable[[], None] | None = None
    """Called when the connection stands, TLS included, right before a request is sent. What it raises ends the exchange
    with nothing sent; `requests` wraps an OSError, so it should be an error of ours."""
    before_read: Callable[[], None] | None = None
    """Called before every read of a response; what it raises ends the exchange."""
    sent: bool = field(default=False, init=False)
    """Whether a byte of the last request may have left. What it takes to connect, such as a TLS handshake or asking a
    proxy for a tunnel, is no part of a request."""
    check_address: Callable[[str, str], None] = field(init=False, repr=False)
    """Of the `LimitedAdapter` that sends the request."""

    def __post_init__(self) -> None:
        self.ends = self.clock() + self.seconds

    def __enter__(self) -> Exchange:
        self._outer = current_exchange.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        current_exchange.reset(self._outer)


current_exchange: Final[ContextVar[Exchange]] = ContextVar("exchange")
"""The exchange of this thread: urllib3 makes its connections itself, and nothing of ours can be handed to them."""


class _LimitedStream(io.RawIOBase):
    """What a socket receives of one response, within the limits of its exchange."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket) -> None:
        self._stream, self._socket = stream, sock
        self._read_timeout = sock.gettimeout()
        self._exchange = current_exchange.get()
        self._bytes_left = self._exchange.max_size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._exchange.before_read:
            self._exchange.before_read()
        seconds = self._exchange.ends - self._exchange.clock()
        if seconds <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(min(seconds, self._read_timeout or seconds))
        count = self._stream.readinto(buffer)
        self._bytes_left -= count or 0
        if self._bytes_left < 0:
            raise ResponseTooLarge
        return count

    def readall(self) -> bytes:
        """Refused: for a chunk of negative size, http.client would read without end."""
        raise http.client.IncompleteRead(b"")

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_LimitedStream(self.fp.detach(), sock))

    def begin(self) -> None:
        super().begin()
        # Lines that are no headers may quote the token, and urllib3 would log them.
        self.headers.set_payload("")
        self.headers.defects.clear()


class _Connection(HTTPConnection):
    debuglevel = 0  # or else whoever turns it on for the whole process would have the token printed
    response_class: Any = _Response

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        try:
            if not self.proxy:
                current_exchange.get().check_address(self.host, str(opened.getpeername()[0]))
        except BaseException:
            opened.close()
            raise
        return opened

    def endheaders(self, *args: Any, **options: Any) -> None:
        """Where http.client sends the first byte of a request, and first connects if nobody has."""
        exchange = current_exchange.get()
        if self.sock is None:
            self.connect()
        if exchange.clock() >= exchange.ends:
            raise TimeoutError("timed out before the request was sent")
        if exchange.before_first_byte:
            exchange.before_first_byte()
        exchange.sent = True
        super().endheaders(*args, **options)


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


POOLS: Final = {"http": _Pool, "https": _TLSPool}
"""By scheme, urllib3's connection pools, with connections that obey the limits of exchanges."""
