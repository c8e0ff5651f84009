"""Which links may be followed: https to public addresses, checked before connecting and on what was connected to."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final
from urllib.parse import urlsplit

import requests

from ..http_client import LimitedAdapter, Session
from ..texts import Text
from .errors import UnsafeUrl

MAX_REDIRECTS: Final = 5

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_PROXY_TOOLS: Final = ipaddress.ip_network("198.18.0.0/15")
"""Proxy tools such as Clash and sing-box resolve every name into it, and carry the connection on themselves."""
_NUMERIC_HOST: Final = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?", re.IGNORECASE)
"""Hosts that a resolver takes for an address, by the last part. If they are not in the usual form, but short, octal or
hexadecimal, they count as not public, whatever they stand for."""
_PUBLIC_IPV6: Final = ipaddress.ip_network("2000::/3")
"""All that is assigned so far; local prefixes of every kind lie outside of it."""
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    # A cloud has its metadata service in the first one. The others are IETF's own, Teredo among them, documentation,
    # and 6to4, which hides an IPv4 address. What older Pythons take for public differs.
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


def media_session(trusted_origin: str | None = None) -> requests.Session:
    """A session without any token that connects to public addresses only, again at every redirect.

    The links of a ``trusted_origin``, an API on loopback, may point back to it over http.
    """
    # All addresses of a name are checked first. The one that was connected to is checked again before a byte is sent,
    # since the name may lead elsewhere by then.
    session = Session(LimitedAdapter(check=_check, check_address=check_address), redirects=MAX_REDIRECTS)
    if trusted_origin:
        session.mount(trusted_origin + "/", LimitedAdapter(use_proxy=False))
    return session


def _check(url: str, proxy: str | None) -> None:
    check_url(url)
    if not proxy:  # a proxy looks up names itself
        try:
            check_host(urlsplit(url).hostname or "")
        except OSError as error:
            raise requests.ConnectionError(error) from None


def check_url(link: str) -> None:
    """Refuse what is wrong with the link itself; the address that it leads to is checked when connecting.

    Raises `UnsafeUrl`: not https, with credentials, or to a literal address that is not public.
    """
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").rstrip(".")
        if ("[" in parts.netloc and not _ip(host)) or parts.port == 0:  # the first, newer Pythons refuse by themselves
            raise ValueError(host)
        link.encode()
    except ValueError:
        raise _unsafe("invalid") from None
    if parts.scheme != "https" or not host:
        raise _unsafe("notHttps")
    if parts.username or parts.password:
        raise _unsafe("credentials")
    is_address = _ip(host) or _NUMERIC_HOST.fullmatch(host)
    if (is_address and not is_public(host)) or host.lower() == "localhost":
        raise _unsafe("notPublic", host=host.partition("%")[0])


def check_host(host: str) -> None:
    """Check the addresses that a name leads to now. Blocks; raises `UnsafeUrl`, and OSError where it leads nowhere."""
    for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
        check_address(host, str(address[0]))


def check_address(host: str, address: str) -> None:
    """Check an address that a host leads to, after `check_url` has passed the link itself. Raises `UnsafeUrl`."""
    ip = _ip(address)
    if not (is_public(address) or (ip and ip in _PROXY_TOOLS)):
        raise _unsafe("leadsInside", host=host, address=address)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also where it hides an IPv4 address in IPv6."""
    ip = _ip(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped or ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _PUBLIC_IPV6:
            return False
    if ip is None or ip.is_multicast or ip.is_reserved or any(ip in network for network in _NOT_PUBLIC):
        return False
    return ip.is_global


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _unsafe(reason: str, **hosts: str) -> UnsafeUrl:
    # The host comes from a workflow file and may hold anything.
    shown = {name: "".join(mark if mark.isprintable() else " " for mark in host) for name, host in hosts.items()}
    return UnsafeUrl("video.unsafe", reason=Text(f"errors.video.unsafe.{reason}", **shown))
