"""HTTP by `requests`, without repeats and within the limits of an `Exchange`; and why one failed, in words."""

from __future__ import annotations

import importlib
import os
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, ProxyError
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import ConnectTimeoutError, LocationValueError, NewConnectionError, ReadTimeoutError

from .http_exchange import POOLS, Exchange, current_exchange
from .texts import Text

CONNECTIONS: Final = 16
"""Kept open to one host at most."""
_PROXY: Final = re.compile(r"(https?://)?(\S*@)?([^\s:/@\[\]]+|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?/?", re.IGNORECASE)
_TIMEOUTS: Final = (TimeoutError, ReadTimeoutError, ConnectTimeoutError, requests.Timeout)
_REASONS: Final[tuple[tuple[bool, str, tuple[type[Exception], ...]], ...]] = (
    (True, "timeOut", _TIMEOUTS),
    (True, "lostBehindProxy", (ProxyError,)),
    (True, "lost", (Exception,)),
    (False, "invalidAddress", (InvalidSchema, InvalidURL, MissingSchema, LocationValueError)),
    (False, "certificate", (ssl.SSLCertVerificationError,)),
    (False, "noProxy", (ProxyError,)),
    (False, "noName", (socket.gaierror,)),
    (False, "noConnection", (NewConnectionError,)),  # a time-out, too, in some versions of urllib3
    (False, "noConnectionInTime", _TIMEOUTS),
    (False, "noTls", (ssl.SSLError,)),
    (False, "lostUnsent", (Exception,)),
)
"""Why an exchange failed; the first row that fits counts: whether a byte of the request may have left, the reason's
key, and errors of which one is among the causes."""


class InvalidProxy(ProxyError):
    """The proxy that is set cannot be used; nothing was sent. Its argument says why, without quoting it."""


class Session(requests.Session):
    """Says who calls, takes no cookies, reads no ~/.netrc, and asks for responses that are not compressed.

    ``adapter`` carries everything. At most ``redirects`` are followed; where it is 0, one is a response like any other.
    """

    def __init__(self, adapter: LimitedAdapter, *, redirects: int = 0) -> None:
        super().__init__()
        self.adapters.clear()
        self.mount("", adapter)
        self.trust_env = False  # the adapter looks up proxies and certificates, anew for each request
        self.max_redirects = redirects
        self.headers["User-Agent"] = "seedance-for-comfyui"
        self.headers["Accept-Encoding"] = "identity"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Also closes a redirect's response: `requests` would read all of its body, followed or not, however long."""
        target = super().get_redirect_target(resp) if self.max_redirects else None
        if target is not None:
            resp.close()
        return target


class LimitedAdapter(HTTPAdapter):
    """Sends the requests of exchanges, with the proxy and certificates that environment and system name at that moment.

    Args:
        check: called with the URL and the proxy, if any, before anything is done for a request.
        check_address: called with the host and the address of each new connection, unless it leads to a proxy, before
            a byte is sent. What either raises ends the exchange.
    """

    def __init__(
        self,
        *,
        use_proxy: bool = True,
        check: Callable[[str, str | None], None] = lambda *_: None,
        check_address: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._use_proxy, self._check, self._check_address = use_proxy, check, check_address
        super().__init__(pool_maxsize=CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # the signatures are requests' own
        super().init_poolmanager(*args, **options | _system_certificates())
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options | _system_certificates())
        manager.pool_classes_by_scheme = POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        exchange, url = current_exchange.get(), request.url or ""
        exchange.sent, exchange.check_address = False, self._check_address
        proxy = _proxy_for(url) if self._use_proxy else None
        self._check(url, proxy)
        options["proxies"] = {urlsplit(url).scheme: proxy} if proxy else {}
        options["verify"] = _certificate_bundle()[1] or True
        return super().send(request, *args, **options)


def _proxy_for(url: str) -> str | None:
    proxy = select_proxy(url, get_environ_proxies(url))
    if proxy and proxy.lower().startswith("socks"):
        # urllib3 has connections of other classes for these, which know of no exchange.
        raise InvalidProxy(Text("reasons.socks"))
    parts = _PROXY.fullmatch(proxy) if proxy else None
    if proxy and not (parts and 0 < int(parts["port"] or 1) < 2**16):
        raise InvalidProxy(Text("reasons.invalidProxy"))
    return proxy


def failure_reason(error: Exception, exchange: Exchange) -> Text:
    """Why an exchange failed, in a few words for the user, which quote neither addresses nor headers."""
    if isinstance(error, InvalidProxy):
        reason: Text = error.args[0]
        return reason
    causes: list[BaseException] = [error]
    for each in causes:  # which grows meanwhile, by all that `requests` and urllib3 have wrapped
        around = (*each.args, getattr(each, "reason", None), each.__cause__, each.__context__)
        causes += [other for other in around if isinstance(other, BaseException) and other not in causes]
    fitting = ((key, kinds) for is_sent, key, kinds in _REASONS if is_sent is exchange.sent)
    key = next(key for key, kinds in fitting if any(isinstance(each, kinds) for each in causes))
    name, bundle = _certificate_bundle()
    if key == "certificate" and (used := name or ("SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "")):
        return Text("reasons.certificateSet", name=used)
    if bundle and not exchange.sent and key not in ("invalidAddress", "certificate") and not _is_readable(bundle):
        return Text("reasons.unreadableCertificates", name=name)
    return Text(f"reasons.{key}")


def _certificate_bundle() -> tuple[str, str]:
    """The variable for a file or folder of certificates that is in use, and its value; two empty texts for none."""
    variables = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    return next(((name, os.environ[name]) for name in variables if os.environ.get(name)), ("", ""))


def _is_readable(bundle: str) -> bool:
    with suppress(OSError, ValueError):  # ssl.SSLError, for what is no PEM, is an OSError
        if not Path(bundle).is_dir():
            ssl.create_default_context(cafile=bundle)
        return True
    return False


def _system_certificates() -> dict[str, Any]:
    """What makes urllib3 trust the system's certificates too, a company's among them, where `truststore` is there."""
    if _certificate_bundle()[1]:
        return {}
    try:
        truststore = importlib.import_module("truststore")
    except ImportError:
        return {}
    return {"ssl_context": truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}
