"""Which requests another site's page may have sent."""

from __future__ import annotations

import pytest

from nodes.same_origin import is_foreign

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
    assert not is_foreign(HOST | headers)


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
    assert is_foreign(HOST | headers)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8188", "null", ""])
def test_without_a_host_no_origin_is_ours(origin: str) -> None:
    assert is_foreign({"Origin": origin})


def test_a_hosts_name_has_no_case() -> None:
    assert not is_foreign({"Origin": "https://comfy.example", "Host": "Comfy.Example"})
