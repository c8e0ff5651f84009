"""The authenticated wire: one bounded HTTP exchange with RunComfy's origin, never with any other place."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Final, Protocol
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from ..wire import BoundedAdapter
from .errors import InvalidOrigin, NoReply, RunComfyError, Unreachable, UnreadableReply
from .scrub import without_token
from .token import Token

DEFAULT_ORIGIN: Final = "https://model-api.runcomfy.net"
ORIGIN_VARIABLE: Final = "RUNCOMFY_API_BASE_URL"
MAX_REPLY: Final = 1024 * 1024
"""Bytes; the documented answers have a few hundred."""
PIECE: Final = 16 * 1024
CONNECTIONS: Final = 16
"""Kept at most, for as many threads."""


@dataclass(frozen=True)
class Call:
    """One request to the API; ``path`` starts with a slash."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str | int] | None = None
    repeatable: bool = False
    """Whether a call that ends unclearly may be made once more. A GET always may."""


@dataclass(frozen=True)
class Reply:
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

    def send(self, call: Call) -> Reply:
        """One exchange.

        Raises:
            Unreachable: the request cannot have arrived.
            NoReply: it may have.
            UnreadableReply: the answer is a redirect or too large.
        """


class HttpTransport:
    """HTTP by `requests`, within ``limits``, without redirects and without repeats."""

    def __init__(
        self, origin: str, token: Token, limits: Limits = Limits(), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.origin = origin
        self._token = token
        self._limits = limits
        self._clock = clock
        host = urlsplit(origin).hostname or ""
        # A proxy of the user's is for the world outside: it would be handed the token of a service on this machine.
        self._proxies = {"no_proxy": host} if is_loopback(host) else None
        self._kept = self._session()

    def send(self, call: Call) -> Reply:
        if call.method == "GET" or call.repeatable:
            return self._exchange(self._kept, call)
        # A kept-alive connection may just have been closed by the service, which would look like an
        # unclear ending. Only a fresh one makes "not accepted" provable.
        with self._session() as fresh:
            return self._exchange(fresh, call)

    def _exchange(self, session: requests.Session, call: Call) -> Reply:
        try:
            return self._answer(session, call)
        except (requests.exceptions.RequestException, HTTPError, OSError) as error:
            failure = _failure(error)
        # Not inside the handler: what `requests` raises holds the request with its headers, and would stay attached.
        raise failure

    def _answer(self, session: requests.Session, call: Call) -> Reply:
        with session.request(
            call.method,
            self.origin + call.path,
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
                raise UnreadableReply("it redirects to another address, which is refused to protect the token")
            sent = response.request.headers["Authorization"]
            headers = {
                name.lower(): without_token(value.encode("latin-1"), sent).decode("latin-1")
                for name, value in response.headers.items()
            }
            return Reply(response.status_code, headers, without_token(_body(response), sent))

    def _session(self) -> requests.Session:
        session = _Session()
        adapter = BoundedAdapter(self._limits.total, self._clock, connections=CONNECTIONS)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = "seedance-for-comfyui"
        session.headers["Accept"] = "application/json"
        return session


class _Session(requests.Session):
    """Never looks where a redirect leads: `requests` would read all of its body for that, however long it is."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  requests' own signature
        return None


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_content(PIECE):
        body += piece
        if len(body) > MAX_REPLY:
            raise UnreadableReply("it is far too long")
    return bytes(body)


def _failure(error: Exception) -> RunComfyError:
    """What a failed exchange means: whether the request can have arrived."""
    if _caused_by(error, NewConnectionError, ConnectTimeoutError):
        late = isinstance(error, requests.exceptions.ConnectTimeout)
        return Unreachable("no connection within the time limit" if late else "no connection")
    if isinstance(error, requests.exceptions.ProxyError):
        # urllib3 also calls a connection through a proxy that broke later a proxy's error.
        if "Tunnel connection failed" in str(error):
            return Unreachable("the proxy refused the connection")
        return NoReply("connection lost behind the proxy")
    if isinstance(error, requests.exceptions.SSLError):
        if _caused_by(error, ssl.SSLCertVerificationError):
            return Unreachable("its certificate could not be verified")
        return NoReply("TLS error")
    if isinstance(error, requests.exceptions.Timeout) or _caused_by(error, ReadTimeoutError, TimeoutError):
        return NoReply("time-out")
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return NoReply("connection lost")
    return NoReply(type(error).__name__)


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
