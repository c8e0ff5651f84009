"""Where RUNCOMFY_API_BASE_URL may move the API, with the token that goes there."""

from __future__ import annotations

import pytest

from nodes.runcomfy.errors import InvalidOrigin
from nodes.runcomfy.token import api_origin

SECRET = "s3cr3t-0123456789"


def test_the_origin() -> None:
    rows = {
        "": "https://model-api.runcomfy.net",
        "   ": "https://model-api.runcomfy.net",
        "https://api.example": "https://api.example",
        " https://api.example/ ": "https://api.example",
        "HTTPS://API.example:8443": "https://api.example:8443",
        "http://127.0.0.1:8188": "http://127.0.0.1:8188",
        "http://127.9.9.9": "http://127.9.9.9",
        "http://localhost:1": "http://localhost:1",
        "http://LOCALHOST": "http://localhost",
        "http://[::1]:8188": "http://[::1]:8188",
        "https://[2001:db8::1]": "https://[2001:db8::1]",
    }
    for value, origin in rows.items():
        assert api_origin({"RUNCOMFY_API_BASE_URL": value}) == origin
    assert api_origin({}) == "https://model-api.runcomfy.net"


def test_places_where_no_token_may_be_sent_are_refused_and_not_shown_since_they_may_hold_a_password() -> None:
    for value in (
        *("http://api.example", "http://192.168.1.5:8188", "http://0.0.0.0", "http://localhost.example"),
        *("http://127.0.0.1.example", "http://127.0.0.1@api.example", "https://user@api.example"),
        *(f"https://user:{SECRET}@api.example", "https://api.example/v1", "https://api.example?x=1"),
        *("https://api.example/#part", "ftp://api.example", "file:///etc/passwd", "api.example", "//api.example"),
        *("https://", "https://:443", "https://api.example:port", "https://api.example:99999", "https://[::1"),
    ):
        with pytest.raises(InvalidOrigin, match="RUNCOMFY_API_BASE_URL") as refused:
            pytest.fail(f"{value} gave {api_origin({'RUNCOMFY_API_BASE_URL': value})}")
        assert SECRET not in str(refused.value) + repr(refused.value)
