"""The authenticated wire: one bounded HTTP exchange with RunComfy's origin, never with any other place."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from ..http_client import InvalidProxy, LimitedAdapter, ResponseLimits, ResponseTooLarge, Session
from .errors import ConnectError, InvalidOrigin, InvalidResponse, ReadError, RunComfyError
from .redact import redact_token
from .token import Token

DEFAULT_ORIGIN: Final = "https://model-api.runcomfy.net"
ORIGIN_VARIABLE: Final = "RUNCOMFY_API_BASE_URL"
MAX_REPLY: Final = 1024 * 1024
"""Bytes of an answer, its head included; the documented ones have a few hundred."""
PIECE: Final = 16 * 1024
"""Bytes that are read at once."""
CONNECTIONS: Final = 16
"""Kept at most, for as many threads."""

_NO_ADDRESS: Final = (
    *(requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, requests.exceptions.MissingSchema),
    LocationValueError,
)
"""What is said about addresses that are none, before anything is sent."""


@dataclass(frozen=True)
class ApiRequest:
    """One request to the API; ``path`` starts with a slash."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str | int] | None = None
    repeatable: bool = False
    """Whether a call that ends unclearly may be made once more. A GET always may."""


@dataclass(frozen=True)
class ApiResponse:
    """One whole answer, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Limits:
    """Seconds that one exchange may take."""

    connect: float = 10.0
    read: float = 20.0
    """Between two pieces of the answer."""
    total: float = 45.0
    """From the end of the request to the end of the answer."""


class Transport(Protocol):
    """The wire as the client sees it."""

    def send(self, call: ApiRequest, *, before_first_byte: Callable[[], None] | None = None) -> ApiResponse:
        """One exchange.

        Raises:
            ConnectError: the request cannot have arrived.
            ReadError: it may have.
            InvalidResponse: the answer is a redirect, compressed, or too large.
        """


class HttpTransport:
    """HTTP by `requests`, within ``limits``, without redirects and without repeats."""

    def __init__(
        self, origin: str, token: Token, limits: Limits = Limits(), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._origin = origin
        self._token = token
        self._limits = limits
        self._clock = clock
        host = urlsplit(origin).hostname or ""
        # A proxy of the user's is for the world outside: it would be handed the token of a service on this machine.
        self._proxies = {"no_proxy": host} if is_loopback(host) else None
        self._kept = self._session()

    def send(self, call: ApiRequest, *, before_first_byte: Callable[[], None] | None = None) -> ApiResponse:
        if before_first_byte:
            before_first_byte()
        if call.method == "GET" or call.repeatable:
            return self._exchange(self._kept, call)
        # A kept-alive connection may just have been closed by the service, which would look like an
        # unclear ending. Only a fresh one makes "not accepted" provable.
        with self._session() as fresh:
            return self._exchange(fresh, call)

    def _exchange(self, session: requests.Session, call: ApiRequest) -> ApiResponse:
        failure: RunComfyError
        try:
            return self._answer(session, call)
        except InvalidResponse as error:
            failure = error.with_traceback(None)
        except ResponseTooLarge:
            failure = InvalidResponse("it is far too long")
        except (OSError, ValueError, HTTPError, http.client.HTTPException) as error:  # those of requests are OSErrors
            failure = _failure(error)
        # Not inside a handler: what `requests` raises holds the request with its headers, and would stay attached, as
        # would the variables of what was called.
        raise failure

    def _answer(self, session: requests.Session, call: ApiRequest) -> ApiResponse:
        with session.request(
            call.method,
            self._origin + call.path,
            params=dict(call.query),
            json=call.body,
            # As `auth` rather than as a header, so that a ~/.netrc entry cannot replace it.
            auth=self._token,
            timeout=(self._limits.connect, self._limits.read),
            proxies=self._proxies,
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.is_redirect:
                raise InvalidResponse("it redirects to another address, which is refused to protect the token")
            sent = response.request.headers["Authorization"]
            headers = {
                name.lower(): redact_token(value.encode("latin-1"), sent).decode("latin-1")
                for name, value in response.headers.items()
            }
            packed = b"".join(response.raw.stream(PIECE, decode_content=False))
            body = _unpacked(packed, response.headers.get("Content-Encoding", "").strip().lower())
            return ApiResponse(response.status_code, headers, redact_token(body, sent))

    def _session(self) -> requests.Session:
        session = _Session()
        bounds = ResponseLimits(self._limits.total, MAX_REPLY)
        adapter = LimitedAdapter(bounds, self._clock, connections=CONNECTIONS)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.headers["Accept"] = "application/json"
        return session


class _Session(Session):
    """Never looks where a redirect leads: `requests` would read all of its body for that, however long it is."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  requests' own signature
        return None


def _unpacked(body: bytes, encoding: str) -> bytes:
    """Nothing was asked to be packed, but what is in between may do so, and then the job is paid for all the same."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise InvalidResponse("it is compressed, which was not asked for")
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS + 16)
    try:
        found = unpacking.decompress(body, MAX_REPLY)
    except zlib.error:
        raise InvalidResponse("it cannot be unpacked") from None
    if unpacking.unconsumed_tail:
        raise InvalidResponse("it is far too long")
    return found


def _failure(error: Exception) -> RunComfyError:
    """What a failed exchange means: whether the request can have arrived."""
    if isinstance(error, InvalidProxy):
        return ConnectError(str(error))
    if isinstance(error, _NO_ADDRESS):
        return ConnectError("its address, or that of a proxy, is not a valid one")
    if _caused_by(error, NewConnectionError, ConnectTimeoutError):
        late = isinstance(error, requests.exceptions.ConnectTimeout)
        return ConnectError("no connection within the time limit" if late else "no connection")
    if isinstance(error, requests.exceptions.ProxyError):
        # urllib3 also calls a connection through a proxy that broke later a proxy's error.
        if "Tunnel connection failed" in str(error):
            return ConnectError("the proxy refused the connection")
        return ReadError("connection lost behind the proxy")
    if isinstance(error, requests.exceptions.SSLError):
        if _caused_by(error, ssl.SSLCertVerificationError):
            return ConnectError("its certificate could not be verified")
        return ReadError("TLS error")
    if isinstance(error, requests.exceptions.Timeout) or _caused_by(error, ReadTimeoutError, TimeoutError):
        return ReadError("time-out")
    if isinstance(error, requests.exceptions.ConnectionError | ProtocolError):
        return ReadError("connection lost")
    return ReadError(type(error).__name__)


def api_origin(environment: Mapping[str, str]) -> str:
    """Where the API is: RunComfy's own origin, or RUNCOMFY_API_BASE_URL for tests and proxies.

    Raises:
        InvalidOrigin: the variable holds something to which no token may be sent.
    """
    value = environment.get(ORIGIN_VARIABLE, "").strip()
    if not value:
        return DEFAULT_ORIGIN
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    plain = not (parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"))
    if not (host and plain and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))):
        raise InvalidOrigin(
            f"The environment variable {ORIGIN_VARIABLE} is not an address that the token may be sent to.",
            "Use https://host, or http://127.0.0.1:port for a service on this machine, without user, path or query; "
            "or remove the variable.",
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _caused_by(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Whether one of ``kinds`` is among the errors that ``requests`` wrapped into ``error``."""
    pending: list[object] = [error]
    while pending:
        found = pending.pop()
        if isinstance(found, kinds):
            return True
        if isinstance(found, BaseException):
            pending += [*found.args, getattr(found, "reason", None), found.__cause__]
    return False
