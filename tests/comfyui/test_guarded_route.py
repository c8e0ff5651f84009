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


def headers(host: str, origin: str | None = None, site: str | None = None) -> dict[str, str]:
    named = {"Host": host, "Origin": origin, "Sec-Fetch-Site": site}
    return {name: value for name, value in named.items() if value is not None}


def of_pages(name: str) -> Iterator[dict[str, str]]:
    """What a page of this name may send to where it came from."""
    for host in (name, f"{name}:8188"):
        yield from (headers(host), headers(host, f"http://{host}"), headers(host, f"http://{host}", "same-origin"))


def allowed() -> Iterator[dict[str, str]]:
    yield from (headers(HERE), headers(HERE, f"http://{HERE}"), headers(HERE, f"HTTP://{HERE}", "same-origin"))
    yield from (headers(HERE, site="same-origin"), headers(HERE, site="none"))
    yield headers("Comfy.Example", "https://comfy.example")
    for name in OURS:
        yield from of_pages(name)
    for host in PROXIED:
        yield headers(host, f"https://{host}")
        yield headers(host, f"https://{host}", "same-origin")
        yield headers(host, site="same-origin")


def refused() -> Iterator[dict[str, str]]:
    for origin in (
        *("https://evil.example", "http://127.0.0.1:9999", "http://127.0.0.1", "http://localhost:8188"),
        *(f"http://{HERE}.evil.example", f"http://{HERE}@evil.example", "null", "", "http://[::1"),
    ):
        yield headers(HERE, origin)
    for site in ("cross-site", "same-site", ""):
        yield headers(HERE, site=site)
    yield headers(HERE, f"http://{HERE}", "cross-site")
    yield headers(HERE, "https://evil.example", "same-origin")
    for name in REBOUND:
        yield from of_pages(name)
    for host in PROXIED:
        yield headers(host, "https://evil.example")
        yield headers(host, site="cross-site")
    yield from ({"Origin": origin} for origin in (f"http://{HERE}", "null", ""))
    yield from ({"Host": host} for host in ("", "[", "[::1", ":8188", "/"))
    yield {}


def test_comfyuis_own_pages_and_scripts_may_and_other_sites_pages_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", OWN_NAME.title)
    for each in allowed():
        assert not is_cross_site(each), each
    for each in refused():
        assert is_cross_site(each), each
