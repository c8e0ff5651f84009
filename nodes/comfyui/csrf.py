"""Which requests a browser may have sent on behalf of another site's page."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

_OWN: Final = ("same-origin", "none")
"""`Sec-Fetch-Site` of ComfyUI's own pages, and of an address that the user typed."""
_LOCAL: Final = ("localhost", "local")
"""What names end with that nobody can register."""


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Whether another site's page sent this request. Header names must be looked up whatever their case.

    Stricter than ComfyUI's own check, which looks at loopback only and is off with --enable-cors-header. A request
    with neither header is a script's or an old browser's, and no page of another site can make one that it can read.

    A site may also let its own name lead here once its page is loaded (DNS rebinding), which makes it the same origin.
    So a name that can be registered has to have come over https: that takes a certificate for it.
    """
    site, origin, host = headers.get("Sec-Fetch-Site"), headers.get("Origin"), headers.get("Host", "").lower()
    page = _split(origin or "")
    if site not in (None, *_OWN) or (origin is not None and page.netloc.lower() != host):
        return True
    # Without an Origin: to a name that can be registered, browsers send Sec-Fetch-Site over https only.
    over_https = site is not None if origin is None else page.scheme == "https"
    return not (over_https or _is_ours(_split(f"//{host}").hostname or ""))


def _is_ours(name: str) -> bool:
    """Whether a host is an IP address, or a name that no other site can have."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        *above, last = name.rstrip(".").split(".")
        return bool(last) and (not above or last in _LOCAL or name == socket.gethostname().lower())
    return True


def _split(address: str) -> SplitResult:
    """An address in its parts, all of which are empty where it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
