"""Which links may be followed: https to public addresses, checked before connecting and on what was connected to."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies

from ..http_client import LimitedAdapter, ResponseLimits, Session
from .errors import UnsafeUrl

MAX_REDIRECTS: Final = 5
CONNECTIONS: Final = 4
"""Kept to one host, for as many downloads side by side."""
MAX_SIZE: Final = 512 * 1024 * 1024
"""Bytes of a video; Seedance's own have a few million."""
RESPONSE_LIMITS: Final = ResponseLimits(660.0, MAX_SIZE + 1024 * 1024)
"""A little more time than an attempt at a download takes, and room for what is around a video."""

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_PUBLIC_IPV6: Final = ipaddress.ip_network("2000::/3")
"""All that is assigned so far; local prefixes of every kind lie outside of it."""
_SPECIAL: Final = tuple(
    ipaddress.ip_network(network)
    # A cloud has its metadata service in the first one. The others are IETF's own, Teredo among them, documentation,
    # and 6to4, which hides an IPv4 address. What older Pythons take for public differs.
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


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
        if ip not in _PUBLIC_IPV6:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in net for net in _SPECIAL)


def check_url(link: str) -> None:
    """Refuse what can be told from the link alone; the address itself is checked when connecting.

    Raises:
        UnsafeUrl: not https, with credentials, or to a literal address that is not public.
    """
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").rstrip(".")
        literal = _is_address(host)
        if "[" in parts.netloc and not literal:  # which only newer Pythons refuse by themselves
            raise ValueError(host)
        link.encode()
    except ValueError:
        raise _refused("it is not a valid link") from None
    if parts.scheme != "https" or not host:
        raise _refused("only https:// links are followed")
    if parts.username or parts.password:
        raise _refused("it contains a user name or a password")
    if (literal and not is_public(host)) or host.lower() == "localhost":
        raise _refused(f"{host.partition('%')[0]} is not a public address")


def media_session(trusted_origin: str | None = None, allowed: Callable[[str], bool] = is_public) -> requests.Session:
    """A session without any token that connects to public addresses only, again at every redirect.

    Args:
        trusted_origin: a loopback API origin whose own links may point back to it over http.
        allowed: which addresses count as public; tests hand in their own.
    """
    session = _Session()
    # No ~/.netrc; the user's proxy and certificates stay in use.
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    proxies = get_environ_proxies("https://runcomfy.net")
    if proxy := proxies.get("https") or proxies.get("all"):
        session.proxies["https"] = proxy
    session.max_redirects = MAX_REDIRECTS
    del session.adapters["http://"]
    session.mount("https://", _PublicAdapter(allowed))
    if trusted_origin:
        session.mount(trusted_origin + "/", LimitedAdapter(RESPONSE_LIMITS, connections=CONNECTIONS))
    return session


class _Session(Session):
    """Leaves the body of a redirect unread, which `requests` would read to its end, however far that is."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            resp.close()
        return target


class _PublicAdapter(LimitedAdapter):
    """Judges the addresses of a name, and once more, before a byte is sent, the one that was connected to: by then
    the name may stand for another."""

    def __init__(self, allowed: Callable[[str], bool]) -> None:
        self._allowed = allowed
        super().__init__(RESPONSE_LIMITS, connections=CONNECTIONS, connected=self._check)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        url = request.url or ""
        check_url(url)
        self._check_name(urlsplit(url).hostname or "")
        return super().send(request, *args, **options)

    def _check(self, host: str, address: str) -> None:
        if not self._allowed(address):
            raise _refused(f"{host} leads to {address}, which is not a public address")

    def _check_name(self, host: str) -> None:
        """Judge a host by what its name stands for now: nothing private is even knocked at, nor is a proxy told to."""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return  # then it cannot be connected to; behind a proxy, which may know more names, the judgement is its
        for *_, address in found:
            self._check(host, str(address[0]))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _refused(reason: str) -> UnsafeUrl:
    # It may quote a host, which is whatever a workflow's file says.
    shown = "".join(mark if mark.isprintable() else " " for mark in reason)
    return UnsafeUrl(
        f"The link to the video was not followed: {shown}.", "Use a public https:// link to an MP4, or a local file."
    )
