"""Which requests another site's page may have sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from nodes.comfyui.guarded_route import is_cross_site

HERE = "127.0.0.1:8188"
OWN_NAME = "render7.studio.example"
OURS = (
    *("127.0.0.1", "192.168.1.20", "8.8.8.8", "[::1]", "[fd00::1]", "localhost", "LOCALHOST", "comfy.localhost"),
    *("render7", "render7.local", "Render7.Local.", "localhost.", OWN_NAME),
)
"""Names that no other site can have."""
REBOUND = (
    *("evil.example", "evil.example.", "127.0.0.1.evil.example", "localhost.evil.example", "local.example"),
    *("notlocalhost.example", f"x.{OWN_NAME}", f"{OWN_NAME}.evil.example", "1.2.3", "127.0.0.1."),
    *("a@evil.example", "."),
)
"""Names that may have been led here: a page of theirs asks its own origin, which has just become this machine."""
PROXIED = ("comfy.example", "abc-8188.proxy.example", "comfy.example:8443")
"""Names that came over https, which takes a certificate for them."""


Asked = tuple[str, str | None, str | None]
"""`Host`, `Origin` and `Sec-Fetch-Site`."""


def of_pages(name: str) -> Iterator[Asked]:
    """What a page of this name may send to where it came from."""
    for host in (name, f"{name}:8188"):
        yield from ((host, None, None), (host, f"http://{host}", None), (host, f"http://{host}", "same-origin"))


def allowed() -> Iterator[Asked]:
    yield from ((HERE, f"HTTP://{HERE}", "same-origin"), (HERE, None, "same-origin"), (HERE, None, "none"))
    yield "Comfy.Example", "https://comfy.example", None
    for name in OURS:
        yield from of_pages(name)
    for host in PROXIED:
        for origin, site in ((f"https://{host}", None), (f"https://{host}", "same-origin"), (None, "same-origin")):
            yield host, origin, site


def refused() -> Iterator[Asked]:
    for origin in (
        *("https://evil.example", "http://127.0.0.1:9999", "http://127.0.0.1", "http://localhost:8188"),
        *(f"http://{HERE}.evil.example", f"http://{HERE}@evil.example", "null", "", "http://[::1"),
    ):
        yield HERE, origin, None
    for site in ("cross-site", "same-site", ""):
        yield HERE, None, site
    yield from ((HERE, f"http://{HERE}", "cross-site"), (HERE, "https://evil.example", "same-origin"))
    for name in REBOUND:
        yield from of_pages(name)
    for host in PROXIED:
        yield from ((host, "https://evil.example", None), (host, None, "cross-site"))
    for host in ("", "[", "[::1", ":8188", "/"):
        yield host, None, None
    for origin in (f"http://{HERE}", "null", ""):
        yield "", origin, None


def test_comfyuis_own_pages_and_scripts_may_and_other_sites_pages_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", OWN_NAME.title)
    for rows, is_refused in ((allowed(), False), (refused(), True)):
        for row in rows:
            sent = dict(zip(("Host", "Origin", "Sec-Fetch-Site"), row, strict=True))
            assert is_cross_site({name: value for name, value in sent.items() if value is not None}) is is_refused, row
    assert is_cross_site({})
