"""Which requests another site's page may have sent."""

from __future__ import annotations

import socket

import pytest

from nodes.comfyui.routes import is_cross_site

HOST = {"Host": "127.0.0.1:8188"}
OWN_NAME = "render7.studio.example"


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", OWN_NAME.title)


def test_comfyuis_own_pages_and_scripts_may() -> None:
    own: list[dict[str, str]] = [
        {},
        {"Origin": "http://127.0.0.1:8188"},
        {"Origin": "HTTP://127.0.0.1:8188", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ]
    for headers in own:
        assert not is_cross_site(HOST | headers), headers


def test_other_sites_pages_may_not() -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:8188"},
        {"Origin": "http://127.0.0.1:8188.evil.example"},
        {"Origin": "http://127.0.0.1:8188@evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://[::1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
        {"Origin": "http://127.0.0.1:8188", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ):
        assert is_cross_site(HOST | headers), headers


def test_without_a_host_no_origin_is_ours() -> None:
    for origin in ("http://127.0.0.1:8188", "null", ""):
        assert is_cross_site({"Origin": origin}), origin


def test_a_hosts_name_has_no_case() -> None:
    assert not is_cross_site({"Origin": "https://comfy.example", "Host": "Comfy.Example"})


def pages_of(name: str) -> list[dict[str, str]]:
    """What a page of this name may send to where it came from."""
    return [
        headers
        for host in (name, f"{name}:8188")
        for headers in (
            {"Host": host},
            {"Host": host, "Origin": f"http://{host}"},
            {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"},
        )
    ]


def test_a_name_that_no_other_site_can_have_is_ours() -> None:
    for name in (
        *("127.0.0.1", "192.168.1.20", "8.8.8.8", "[::1]", "[fd00::1]", "localhost", "LOCALHOST", "comfy.localhost"),
        *("render7", "render7.local", "Render7.Local.", "localhost.", OWN_NAME),
    ):
        for headers in pages_of(name):
            assert not is_cross_site(headers), headers


def test_a_name_that_may_have_been_led_here_is_not() -> None:
    """DNS rebinding: a page of that name asks its own origin, which has just become this machine."""
    for name in (
        *("evil.example", "evil.example.", "127.0.0.1.evil.example", "localhost.evil.example", "local.example"),
        *("notlocalhost.example", f"x.{OWN_NAME}", f"{OWN_NAME}.evil.example", "1.2.3", "127.0.0.1."),
        *("a@evil.example", "."),
    ):
        for headers in pages_of(name):
            assert is_cross_site(headers), headers


def test_unless_it_came_over_https_which_takes_a_certificate() -> None:
    for host in ("comfy.example", "abc-8188.proxy.example", "comfy.example:8443"):
        assert not is_cross_site({"Host": host, "Origin": f"https://{host}"}), host
        assert not is_cross_site({"Host": host, "Origin": f"https://{host}", "Sec-Fetch-Site": "same-origin"}), host
        assert not is_cross_site({"Host": host, "Sec-Fetch-Site": "same-origin"}), host
        assert is_cross_site({"Host": host, "Origin": "https://evil.example"}), host
        assert is_cross_site({"Host": host, "Sec-Fetch-Site": "cross-site"}), host


def test_a_host_that_is_none_is_nobodys() -> None:
    for host in ("", "[", "[::1", ":8188", "/"):
        assert is_cross_site({"Host": host}), host
    assert is_cross_site({})
