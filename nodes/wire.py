"""HTTP with a bound on every answer. Both rooms that speak HTTP, the API's and the videos', do it through this."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


def _anywhere(host: str, address: str) -> None:
    """No address is refused."""


class BoundedAdapter(HTTPAdapter):
    """Carries exchanges without repeats, whose answers, head and body, have to be complete in time.

    `requests` itself only bounds the pause between two pieces, so that an answer may trickle in for ever.

    Args:
        seconds: from the end of the request to the end of its answer.
        connections: kept open to one host at most.
        connected: told the host and the address of each new connection, unless it is one to a proxy, before a byte is
            sent; what it raises ends the exchange.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        connections: int = 1,
        connected: Callable[[str, str], None] = _anywhere,
    ) -> None:
        class Bounded:
            debuglevel = 0  # or else whoever turns it on for the whole process would have the token printed
            response_class: Any

            def getresponse(self) -> Any:
                self.response_class = partial(_Answer, ends=clock() + seconds, clock=clock)
                return super().getresponse()  # type: ignore[misc]  # of the connection that this is mixed into

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

        self._pools = {"http": PlainPool, "https": SecurePool}
        super().__init__(pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # the signatures are requests' own
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


class _Answer(http.client.HTTPResponse):
    """An answer that is read through a `_Bounded`."""

    def __init__(
        self, sock: socket.socket, *args: Any, ends: float, clock: Callable[[], float], **options: Any
    ) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Bounded(self.fp.detach(), sock, lambda: ends - clock()))


class _Bounded(io.RawIOBase):
    """What a socket receives, until the time is over."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket, left: Callable[[], float]) -> None:
        self._stream = stream
        self._socket = sock
        self._pause = sock.gettimeout()
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._left()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left if self._pause is None else min(left, self._pause))
        try:
            return self._stream.readinto(buffer)
        finally:
            self._socket.settimeout(self._pause)

    def close(self) -> None:
        self._stream.close()
        super().close()
