"""Which requests another site's page may have sent."""

from __future__ import annotations

import socket

import pytest

from nodes.comfyui.csrf import is_cross_site

HOST = {"Host": "127.0.0.1:8188"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:8188"},
        {"Origin": "HTTP://127.0.0.1:8188", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_comfyuis_own_pages_and_scripts_may(headers: dict[str, str]) -> None:
    assert not is_cross_site(HOST | headers)


@pytest.mark.parametrize(
    "headers",
    [
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
    ],
)
def test_other_sites_pages_may_not(headers: dict[str, str]) -> None:
    assert is_cross_site(HOST | headers)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8188", "null", ""])
def test_without_a_host_no_origin_is_ours(origin: str) -> None:
    assert is_cross_site({"Origin": origin})


def test_a_hosts_name_has_no_case() -> None:
    assert not is_cross_site({"Origin": "https://comfy.example", "Host": "Comfy.Example"})


OWN_NAME = "render7.studio.example"


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", OWN_NAME.title)


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("port", ["", ":8188"])
@pytest.mark.parametrize(
    "name",
    [
        *("127.0.0.1", "192.168.1.20", "8.8.8.8", "[::1]", "[fd00::1]", "localhost", "LOCALHOST", "comfy.localhost"),
        *("render7", "render7.local", "Render7.Local.", "localhost.", OWN_NAME),
    ],
)
def test_a_name_that_no_other_site_can_have_is_ours(name: str, port: str) -> None:
    host = {"Host": name + port}
    assert not is_cross_site(host)
    assert not is_cross_site(host | {"Origin": f"http://{name}{port}"})
    assert not is_cross_site(host | {"Origin": f"http://{name}{port}", "Sec-Fetch-Site": "same-origin"})


REGISTRABLE = (
    *("evil.example", "evil.example.", "127.0.0.1.evil.example", "localhost.evil.example", "local.example"),
    *(
        "notlocalhost.example",
        f"x.{OWN_NAME}",
        f"{OWN_NAME}.evil.example",
        "1.2.3",
        "127.0.0.1.",
        "a@evil.example",
        ".",
    ),
)


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("name", REGISTRABLE)
@pytest.mark.parametrize("port", ["", ":8188"])
def test_a_name_that_may_have_been_led_here_is_not(name: str, port: str) -> None:
    """DNS rebinding: a page of that name asks its own origin, which has just become this machine."""
    host = {"Host": name + port}
    assert is_cross_site(host)
    assert is_cross_site(host | {"Origin": f"http://{name}{port}"})
    assert is_cross_site(host | {"Origin": f"http://{name}{port}", "Sec-Fetch-Site": "same-origin"})


@pytest.mark.parametrize("host", ["comfy.example", "abc-8188.proxy.example", "comfy.example:8443"])
def test_unless_it_came_over_https_which_takes_a_certificate(host: str) -> None:
    assert not is_cross_site({"Host": host, "Origin": f"https://{host}"})
    assert not is_cross_site({"Host": host, "Origin": f"https://{host}", "Sec-Fetch-Site": "same-origin"})
    assert not is_cross_site({"Host": host, "Sec-Fetch-Site": "same-origin"})
    assert is_cross_site({"Host": host, "Origin": "https://evil.example"})
    assert is_cross_site({"Host": host, "Sec-Fetch-Site": "cross-site"})


@pytest.mark.parametrize("host", ["", "[", "[::1", ":8188", "/"])
def test_a_host_that_is_none_is_nobodys(host: str) -> None:
    assert is_cross_site({"Host": host})
    assert is_cross_site({})
