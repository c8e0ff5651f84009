"""Which links may be followed: https to public addresses, checked on the address that was connected to."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from .errors import LinkRefused

MAX_REDIRECTS: Final = 5

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_ASSIGNMENTS: Final = ipaddress.ip_network("192.0.0.0/24")
"""Not public, which older Pythons do not know; a cloud has its metadata service there."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also where it hides an IPv4 address in IPv6."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip.sixtofour or ip.teredo or ip.is_site_local:
            return False
    return ip.is_global and ip not in _ASSIGNMENTS and not ip.is_multicast and not ip.is_reserved


def check_link(link: str) -> None:
    """Refuse what can be told from the link alone; the address itself is checked when connecting.

    Raises:
        LinkRefused: not https, with credentials, or to a literal address that is not public.
    """
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
        literal = _is_address(host)
        link.encode()
    except ValueError:
        raise _refused("it is not a valid link") from None
    if parts.scheme != "https" or not host:
        raise _refused("only https:// links are followed")
    if parts.username or parts.password:
        raise _refused("it contains a user name or a password")
    if (literal and not is_public(host)) or host.lower().rstrip(".") == "localhost":
        raise _refused(f"{host} is not a public address")


def media_session(trusted_origin: str | None = None, allowed: Callable[[str], bool] = is_public) -> requests.Session:
    """A session without any token that connects to public addresses only, again at every redirect.

    Args:
        trusted_origin: a loopback API origin whose own links may point back to it over http.
        allowed: which addresses count as public; tests hand in their own.
    """
    session = requests.Session()
    # No ~/.netrc; the user's proxy and certificates stay in use.
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    proxies = get_environ_proxies("https://runcomfy.net")
    if proxy := proxies.get("https") or proxies.get("all"):
        session.proxies["https"] = proxy
    session.max_redirects = MAX_REDIRECTS
    session.headers.update({"User-Agent": "seedance-for-comfyui", "Accept-Encoding": "identity"})
    del session.adapters["http://"]
    session.mount("https://", _PublicAdapter(allowed))
    if trusted_origin:
        session.mount(trusted_origin + "/", HTTPAdapter(max_retries=0))
    return session


class _PublicAdapter(HTTPAdapter):
    """Connects first and looks where it got to before a byte is sent, so that no name can be rebound in between."""

    def __init__(self, allowed: Callable[[str], bool]) -> None:
        class Connection(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                connected = super()._new_conn()
                address = str(connected.getpeername()[0])
                if allowed(address):
                    return connected
                connected.close()
                raise _refused(f"{self.host} leads to {address}, which is not a public address")

        class Pool(HTTPSConnectionPool):
            ConnectionCls = Connection

        self._pool_class = Pool
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # the signature is requests' own
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": self._pool_class}

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        check_link(request.url or "")
        return super().send(request, *args, **options)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _refused(reason: str) -> LinkRefused:
    return LinkRefused(
        f"The link to the video was not followed: {reason}.", "Use a public https:// link to an MP4, or a local file."
    )
