"""HTTP with bounds on every answer. Both rooms that speak HTTP, the API's and the videos', do it through this."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

HEAD_TIMEOUT: Final = 30.0
"""Seconds until the head of an answer is there; what follows may be a long film."""


@dataclass(frozen=True)
class ResponseLimits:
    """What one answer may take."""

    seconds: float
    """From the end of the request to the end of its answer."""
    size: int
    """Bytes as they come over the wire, those of the head included."""
    head: float = HEAD_TIMEOUT
    """Seconds of these until its head is complete."""


class ResponseTooLarge(Exception):
    """An answer of more bytes than it may have."""


class InvalidProxy(requests.exceptions.ProxyError):
    """The proxy that is set cannot be used; nothing was sent. ``str()`` says why, without quoting it."""


def _anywhere(host: str, address: str) -> None:
    """No address is refused."""


class LimitedAdapter(HTTPAdapter):
    """Carries exchanges without repeats, whose answers keep to limits, or else end with a time-out or
    `ResponseTooLarge`.

    `requests` itself only bounds the pause between two pieces, so that an answer may trickle in for ever, and leaves
    it to the answer how much of it is read at once.

    Args:
        connections: kept open to one host at most.
        connected: told the host and the address of each new connection, unless it is one to a proxy, before a byte is
            sent; what it raises ends the exchange.
    """

    def __init__(
        self,
        bounds: ResponseLimits,
        clock: Callable[[], float] = time.monotonic,
        *,
        connections: int = 1,
        connected: Callable[[str, str], None] = _anywhere,
    ) -> None:
        self._pools = _pools(bounds, clock, connected)
        super().__init__(pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # the signatures are requests' own
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        if proxy := select_proxy(request.url or "", options.get("proxies")):
            _check_proxy(proxy)
        return super().send(request, *args, **options)


class Session(requests.Session):
    """Says who calls, takes no cookies, and asks for answers as they are: one that is unpacked has no bounds."""

    def __init__(self) -> None:
        super().__init__()
        self.headers["User-Agent"] = "seedance-for-comfyui"
        self.headers["Accept-Encoding"] = "identity"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))


_asked: ContextVar[Callable[[], None]] = ContextVar("asked", default=lambda: None)


@contextmanager
def cancellable(go_on: Callable[[], None]) -> Iterator[None]:
    """Have ``go_on`` called before every reading of an answer in here; what it raises ends the exchange."""
    before = _asked.set(go_on)
    try:
        yield
    finally:
        _asked.reset(before)


def _check_proxy(proxy: str) -> None:
    """Say in one way, and before anything is sent, what requests and urllib3 say in many. Raises `InvalidProxy`."""
    if proxy.lower().startswith("socks"):
        # urllib3 has connections of other classes for these, which keep to no bounds.
        raise InvalidProxy("SOCKS proxies are not supported")
    try:
        parts = urlsplit(proxy if "://" in proxy else f"//{proxy}", "http")
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and [proxy] == proxy.split()
    except ValueError:
        usable = False
    if not usable:
        raise InvalidProxy("the address of the proxy is not a valid one")


def _pools(
    bounds: ResponseLimits, clock: Callable[[], float], connected: Callable[[str, str], None]
) -> dict[str, type[HTTPConnectionPool]]:
    """By scheme, pools of connections that keep to what a `LimitedAdapter` was told.

    Classes of their own for each adapter: urllib3 makes connections from a class, and hands it nothing of ours.
    """

    class Bounded:
        debuglevel = 0  # or else whoever turns it on for the whole process would have the token printed
        response_class: Any = staticmethod(partial(_Answer, bounds=bounds, clock=clock))

    class Plain(Bounded, HTTPConnection):
        pass

    class Secure(Bounded, HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            opened = super()._new_conn()
            try:
                if not self.proxy:
                    connected(self.host, str(opened.getpeername()[0]))
            except BaseException:
                opened.close()
                raise
            return opened

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Answer(http.client.HTTPResponse):
    """An answer that is read through a `_Bounded`."""

    def __init__(
        self, sock: socket.socket, *args: Any, bounds: ResponseLimits, clock: Callable[[], float], **options: Any
    ) -> None:
        super().__init__(sock, *args, **options)
        self._received = _Bounded(self.fp.detach(), sock, bounds, clock)
        self.fp = _Pieces(self._received)

    def begin(self) -> None:
        super().begin()
        self._received.head_is_complete()
        # What is no header line, though it may quote the token, urllib3 would write into the log.
        self.headers.set_payload("")
        self.headers.defects.clear()


class _Pieces(io.BufferedReader):
    """Hands out no more than was asked for: http.client reads all that comes for a chunk of negative size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            raise http.client.IncompleteRead(b"")
        return super().read(size)


class _Bounded(io.RawIOBase):
    """What a socket receives of one answer, as long as it keeps to its bounds."""

    def __init__(
        self, stream: io.RawIOBase, sock: socket.socket, bounds: ResponseLimits, clock: Callable[[], float]
    ) -> None:
        self._stream = stream
        self._socket = sock
        self._pause = sock.gettimeout()
        self._clock = clock
        self._begun = clock()
        self._seconds = min(bounds.head, bounds.seconds)
        self._bounds = bounds
        self._size = 0
        self._ask = _asked.get()

    def head_is_complete(self) -> None:
        self._seconds = self._bounds.seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._ask()
        left = self._begun + self._seconds - self._clock()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left if self._pause is None else min(left, self._pause))
        try:
            count = self._stream.readinto(buffer)
        finally:
            self._socket.settimeout(self._pause)
        self._size += count or 0
        if self._size > self._bounds.size:
            raise ResponseTooLarge
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()
