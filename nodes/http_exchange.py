"""One HTTP exchange on its connection: what it may take, how far it got, and who may end it."""

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

HEAD_TIMEOUT: Final = 30.0
"""Seconds from the end of a request until the head of its response is there; what follows may be a long film."""


class ResponseTooLarge(Exception):
    """A response of more bytes than it may have."""


@dataclass(eq=False)
class Exchange:
    """One request, with its redirects, from connecting to the end of the response.

    A context manager: what is requested through `POOLS` inside of it belongs to it; outside of one nothing can be.
    """

    seconds: float
    """For all of it, from now on."""
    size: int
    """Bytes of a response as they come over the wire, those of its head included."""
    clock: Callable[[], float] = time.monotonic
    _: KW_ONLY
    before_first_byte: Callable[[], None] | None = None
    """Called when the connection stands, TLS included, right before a request is sent. What it raises ends the exchange
    with nothing sent, and is kept as `refusal`."""
    before_read: Callable[[], None] | None = None
    """Called before every read of a response; what it raises ends the exchange."""
    check_address: Callable[[str, str], None] | None = None
    """Called with the host and the address of each new connection, unless it is one to a proxy, before a byte is sent;
    what it raises ends the exchange."""
    sent: bool = field(default=False, init=False)
    """Whether a byte of the last request may have left. What it takes to connect, such as a TLS handshake or asking a
    proxy for a tunnel, is no part of a request."""
    refusal: BaseException | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.ends = self.clock() + self.seconds

    def __enter__(self) -> Exchange:
        self._outer = current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        current.reset(self._outer)

    def begin(self) -> None:
        """Called when the next thing to happen is that a byte leaves. Raises TimeoutError, or the `refusal`."""
        if self.clock() >= self.ends:
            raise TimeoutError("timed out before the request was sent")
        try:
            if self.before_first_byte:
                self.before_first_byte()
        except BaseException as error:
            self.refusal = error
            raise
        self.sent = True


current: Final[ContextVar[Exchange]] = ContextVar("exchange")
"""The one that this thread is in: urllib3 makes connections from a class and hands them nothing of ours."""


class _Pieces(io.BufferedReader):
    """Hands out no more than was asked for: http.client reads all that comes for a chunk of negative size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            raise http.client.IncompleteRead(b"")
        return super().read(size)


class _LimitedStream(io.RawIOBase):
    """What a socket receives of one response, within the limits of its exchange."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket) -> None:
        self._stream, self._socket = stream, sock
        self._pause = sock.gettimeout()
        self._exchange = current.get()
        self._left = self._exchange.size
        self.ends = min(self._exchange.ends, self._exchange.clock() + HEAD_TIMEOUT)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._exchange.before_read:
            self._exchange.before_read()
        seconds = self.ends - self._exchange.clock()
        if seconds <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(seconds if self._pause is None else min(seconds, self._pause))
        try:
            count = self._stream.readinto(buffer)
        finally:
            self._socket.settimeout(self._pause)
        self._left -= count or 0
        if self._left < 0:
            raise ResponseTooLarge
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response that is read through a `_LimitedStream`."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._limited = _LimitedStream(self.fp.detach(), sock)
        self.fp = _Pieces(self._limited)

    def begin(self) -> None:
        super().begin()
        self._limited.ends = current.get().ends
        # What is no header line, though it may quote the token, urllib3 would write into the log.
        self.headers.set_payload("")
        self.headers.defects.clear()


class _Connection(HTTPConnection):
    debuglevel = 0  # or else whoever turns it on for the whole process would have the token printed
    response_class: Any = _Response

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        try:
            if (check_address := current.get().check_address) and not self.proxy:
                check_address(self.host, str(opened.getpeername()[0]))
        except BaseException:
            opened.close()
            raise
        return opened

    def endheaders(self, *args: Any, **options: Any) -> None:
        """Where http.client sends the first byte of a request, and first connects if nobody has."""
        if self.sock is None:
            self.connect()
        current.get().begin()
        super().endheaders(*args, **options)


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


POOLS: Final = {"http": _Pool, "https": _TLSPool}
"""By scheme, urllib3's pools of connections that belong to exchanges."""
