"""Which requests a browser may have sent on behalf of another site's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

_OWN: Final = ("same-origin", "none")
"""`Sec-Fetch-Site` of ComfyUI's own pages, and of an address that the user typed."""


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether another site's page sent this request. Header names must be looked up whatever their case.

    Stricter than ComfyUI's own check, which looks at loopback only and is off with --enable-cors-header. A request
    with neither header is a script's or an old browser's, and no page of another site can make one that it can read.
    """
    if headers.get("Sec-Fetch-Site", "none") not in _OWN:
        return True
    origin = headers.get("Origin")
    return origin is not None and _place(origin) != headers.get("Host", "").lower()


def _place(origin: str) -> str | None:
    """Host and port as the Host header has them; None for `null` and for what is no origin."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
