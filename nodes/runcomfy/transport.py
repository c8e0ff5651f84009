"""The authenticated wire: one bounded HTTP exchange with RunComfy's origin, never with any other place."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from .errors import InvalidOrigin, NoReply, Unreachable, UnreadableReply
from .token import Token

DEFAULT_ORIGIN: Final = "https://model-api.runcomfy.net"
ORIGIN_VARIABLE: Final = "RUNCOMFY_API_BASE_URL"
MAX_REPLY: Final = 1024 * 1024
"""Bytes; the documented answers have a few hundred."""


@dataclass(frozen=True)
class Call:
    """One request to the API; ``path`` starts with a slash."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str | int] | None = None


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
        self._reads = _session()

    def send(self, call: Call) -> Reply:
        if call.method == "GET":
            return self._exchange(self._reads, call)
        # A kept-alive connection may just have been closed by the service, which would look like an
        # unclear ending. Only a fresh one makes "not accepted" provable.
        with _session() as session:
            return self._exchange(session, call)

    def _exchange(self, session: requests.Session, call: Call) -> Reply:
        ends = self._clock() + self._limits.total
        try:
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
                body = self._read(response, ends)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status_code, headers, body)
        except requests.exceptions.ConnectTimeout:
            raise Unreachable("no connection within the time limit") from None
        except requests.exceptions.ProxyError as error:
            # urllib3 also calls a connection through a proxy that broke later a proxy's error.
            if _never_connected(error) or "Tunnel connection failed" in str(error):
                raise Unreachable("the proxy refused the connection") from None
            raise NoReply("connection lost behind the proxy") from None
        except requests.exceptions.SSLError as error:
            if _caused_by(error, ssl.SSLCertVerificationError):
                raise Unreachable("its certificate could not be verified") from None
            raise NoReply("TLS error") from None
        except requests.exceptions.Timeout:
            raise NoReply("time-out") from None
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise Unreachable("no connection") from None
            raise NoReply("connection lost") from None
        except requests.exceptions.ChunkedEncodingError:
            raise NoReply("connection lost") from None
        except (requests.exceptions.RequestException, HTTPError, OSError) as error:
            raise NoReply(type(error).__name__) from None

    def _read(self, response: requests.Response, ends: float) -> bytes:
        body = bytearray()
        # Byte by byte, since larger pieces would wait until they are full, however slowly it trickles.
        for piece in response.iter_content(1):
            body += piece
            if len(body) > MAX_REPLY:
                raise UnreadableReply("it is far too long")
            if self._clock() > ends:
                raise NoReply("time-out")
        return bytes(body)


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


def _session() -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=8, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = "seedance-for-comfyui"
    session.headers["Accept"] = "application/json"
    return session


def _never_connected(error: BaseException) -> bool:
    return _caused_by(error, NewConnectionError, ConnectTimeoutError)


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
