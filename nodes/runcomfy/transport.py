"""One authenticated HTTP exchange with RunComfy's origin, never with any other place."""

from __future__ import annotations

import http.client
import ipaddress
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from ..http_client import LimitedAdapter, Session, failure_reason
from ..http_exchange import Exchange, ResponseTooLarge
from .errors import NO_CALL, ConnectError, InvalidOrigin, InvalidResponse, ReadError, Subject
from .token import Token

DEFAULT_ORIGIN: Final = "https://model-api.runcomfy.net"
ORIGIN_VARIABLE: Final = "RUNCOMFY_API_BASE_URL"
MAX_REPLY: Final = 1024 * 1024
"""Bytes of an answer, its head included; the documented ones have a few hundred."""
PIECE: Final = 16 * 1024
"""Bytes that are read at once."""
CONNECTIONS: Final = 16
"""Kept at most, for as many threads."""


@dataclass(frozen=True)
class ApiRequest:
    """One request to the API; ``path`` starts with a slash."""

    method: str
    path: str
    subject: Subject = NO_CALL
    """What its errors tell."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str | int] | None = None
    repeatable: bool = False
    """Whether it does no harm twice, so that a connection may be used again. A GET never does any."""


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
    """From its beginning to the end of the answer."""
    submit: float = 60.0
    """The same for a call that is not repeatable: an answer that is given up may be a job that was paid for."""


class Transport(Protocol):
    """What carries the client's requests."""

    def send(self, request: ApiRequest, /, *, before_first_byte: Callable[[], None] | None = None) -> ApiResponse:
        """One exchange.

        Args:
            before_first_byte: called when the connection stands, TLS included, right before the request is sent. What
                it raises is raised here, and nothing is sent.

        Raises:
            ConnectError: no byte of the request has left.
            ReadError: one may have.
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
        self._kept = self._session()

    def send(self, request: ApiRequest, /, *, before_first_byte: Callable[[], None] | None = None) -> ApiResponse:
        if request.method == "GET" or request.repeatable:
            exchange = Exchange(self._limits.total, MAX_REPLY, self._clock, before_first_byte=before_first_byte)
            return self._exchange(self._kept, request, exchange)
        # A kept connection may just have been closed by the service, which would look as if the request had arrived.
        with self._session() as fresh:
            exchange = Exchange(self._limits.submit, MAX_REPLY, self._clock, before_first_byte=before_first_byte)
            return self._exchange(fresh, request, exchange)

    def _exchange(self, session: requests.Session, request: ApiRequest, exchange: Exchange) -> ApiResponse:
        failure: BaseException
        try:
            with exchange:
                return self._answer(session, request)
        except (OSError, ValueError, HTTPError, http.client.HTTPException, ResponseTooLarge) as error:
            # Those of `requests` are OSErrors, its InvalidJSONError and the like ValueErrors, too.
            if not exchange.sent:
                failure = ConnectError(failure_reason(error, exchange), request.subject)
            elif isinstance(error, ResponseTooLarge):
                failure = InvalidResponse("it is far too long", request.subject)
            else:
                failure = ReadError(failure_reason(error, exchange), request.subject)
        except InvalidResponse as error:
            failure = error
        except BaseException as error:
            if error is not exchange.refusal:
                raise
            failure = error
        # Not inside a handler: what `requests` raises holds the request with its headers, and would stay attached, as
        # would the variables of what was called.
        raise (exchange.refusal or failure).with_traceback(None)

    def _answer(self, session: requests.Session, request: ApiRequest) -> ApiResponse:
        with session.request(
            request.method,
            self._origin + request.path,
            params=dict(request.query),
            json=request.body,
            auth=self._token,
            timeout=(self._limits.connect, self._limits.read),
            stream=True,
        ) as response:
            if response.is_redirect:
                problem = "it redirects to another address, which is refused to protect the token"
                raise InvalidResponse(problem, request.subject)
            redact = self._token.redact
            headers = {
                name.lower(): redact(value.encode("latin-1")).decode("latin-1")
                for name, value in response.headers.items()
            }
            packed = b"".join(response.raw.stream(PIECE, decode_content=False))
            encoding = response.headers.get("Content-Encoding", "").strip().lower()
            return ApiResponse(response.status_code, headers, redact(_unpacked(packed, encoding, request.subject)))

    def _session(self) -> requests.Session:
        session = Session()
        # A proxy of the user's is for the world outside: it would be handed the token of a service on this machine.
        use_proxy = not is_loopback(urlsplit(self._origin).hostname or "")
        adapter = LimitedAdapter(connections=CONNECTIONS, use_proxy=use_proxy)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.headers["Accept"] = "application/json"
        return session


def _unpacked(body: bytes, encoding: str, subject: Subject) -> bytes:
    """Nothing was asked to be packed, but what is in between may do so, and then the job is paid for all the same."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise InvalidResponse("it is compressed, which was not asked for", subject)
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS + 16)
    try:
        found = unpacking.decompress(body, MAX_REPLY)
    except zlib.error:
        raise InvalidResponse("it cannot be unpacked", subject) from None
    if unpacking.unconsumed_tail:
        raise InvalidResponse("it is far too long", subject)
    return found


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
