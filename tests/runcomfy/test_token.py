"""Where the token comes from, where it may go, and that its value shows nowhere but in the header."""

from __future__ import annotations

import copy
import os
import pickle
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import requests

from nodes.files import remove_private
from nodes.runcomfy.errors import MissingToken, RunComfyError
from nodes.runcomfy.token import (
    MAX_TOKEN_LENGTH,
    Token,
    api_origin,
    find_token,
    save_token,
    saved_token,
    variable_in_use,
)
from nodes.texts import SETTINGS

SECRET = "s3cr3t-0123456789"
ORDER = (SETTINGS, "RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "YOUR_API_TOKEN")


def header(token: Token) -> str | None:
    return token(requests.Request("GET", "http://127.0.0.1/").prepare()).headers.get("Authorization")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "private" / "token"


@pytest.fixture
def saved(file: Path) -> Path:
    save_token("the-first", file)
    return file


def test_the_first_source_that_is_set_is_used(saved: Path) -> None:
    values = {SETTINGS: "the-first", **{name: f"value-{number}" for number, name in enumerate(ORDER[1:])}}
    environment = values.copy()
    assert variable_in_use(environment) == ORDER[1]
    for source in ORDER:
        token = find_token(environment, saved)
        assert (token.source, header(token)) == (source, f"Bearer {values[source]}")
        del environment[source]
        saved.unlink(missing_ok=True)
    with pytest.raises(MissingToken) as missing:
        find_token(environment, saved)
    # One sentence names Settings, the variable and the way without.
    sentence = missing.value.advice
    assert all(way in sentence for way in ("Settings > Seedance", "RUNCOMFY_API_TOKEN", "rehearsal"))
    assert sentence.count(".") == 1


def test_white_space_is_no_token_and_no_part_of_one(saved: Path) -> None:
    for blank in ("", "  ", "\n"):
        saved.write_text(blank, encoding="utf-8")
        token = find_token({"RUNCOMFY_API_TOKEN": blank, "RUNCOMFY_TOKEN": f" {SECRET}\n"}, saved)
        assert (token.source, header(token)) == ("RUNCOMFY_TOKEN", f"Bearer {SECRET}"), blank
        assert variable_in_use({"RUNCOMFY_API_TOKEN": blank}) is None
    # A whole header may be pasted.
    for form in ("Bearer {}", "bearer  {}", "Authorization: Bearer {}", " {}\n"):
        pasted = form.format(SECRET)
        assert header(find_token({"RUNCOMFY_TOKEN": pasted}, saved.with_name("none"))) == f"Bearer {SECRET}", form
        save_token(pasted, saved)
        assert saved.read_text(encoding="utf-8") == SECRET, form
        assert [found.name for found in saved.parent.iterdir()] == [saved.name]


BAD = (
    "two words",
    "line\nbreak",
    "tab\tin",
    "naïve",
    "nul\0",
    "escape\x1b[0m",
    "\u200bzero",
    "x" * (MAX_TOKEN_LENGTH + 1),
)


def test_what_cannot_be_a_token_is_refused_without_being_shown_and_not_saved(saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for bad in ("", "  ", "Bearer ", *BAD):
        other.write_bytes(bad.encode())
        tries: list[Callable[[], object]] = [partial(save_token, bad, saved)]
        if bad in BAD:
            tries += [partial(find_token, {"RUNCOMFY_TOKEN": bad}, tmp_path / "none"), partial(find_token, {}, other)]
        for attempt in tries:
            with pytest.raises(MissingToken, match=f"RUNCOMFY_TOKEN|{SETTINGS}") as refused:
                attempt()
            assert not bad.strip() or bad not in str(refused.value) + repr(refused.value), bad
        assert saved.read_text(encoding="utf-8") == "the-first", bad


def test_a_saved_token_that_is_no_text_or_cannot_be_read_is_not_silently_replaced(saved: Path) -> None:
    saved.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MissingToken, match=SETTINGS):
        find_token({"RUNCOMFY_TOKEN": SECRET}, saved)
    saved.unlink()
    saved.mkdir()
    with pytest.raises(MissingToken, match="cannot be read"):
        find_token({"RUNCOMFY_TOKEN": SECRET}, saved)


def test_its_value_shows_in_no_text_form_and_it_can_be_neither_copied_nor_stored() -> None:
    token = Token(SECRET, "RUNCOMFY_TOKEN")
    assert "RUNCOMFY_TOKEN" in repr(token)
    for text in (repr(token), str(token), f"{token}", f"{token!r}", f"{[token]}", token.account):
        assert SECRET not in text
    assert token.account == Token(SECRET, "YOUR_API_TOKEN").account != Token(SECRET + "x", "RUNCOMFY_TOKEN").account
    for store in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError) as refused:
            store(token)
        assert SECRET not in str(refused.value)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_may_read_it(file: Path) -> None:
    before = os.umask(0)
    try:
        save_token(SECRET, file)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_clearing_deletes_it_and_what_a_crash_left_of_it(saved: Path) -> None:
    (saved.parent / ".token-unfinished").write_text(SECRET)
    (saved.parent / "jobs.sqlite3").write_text("stays")
    assert saved_token(saved) == "the-first"
    for _ in range(2):
        remove_private(saved)
        assert [found.name for found in saved.parent.iterdir()] == ["jobs.sqlite3"]
        assert not saved_token(saved)


def test_the_origin() -> None:
    rows = {
        **dict.fromkeys(("", "   "), "https://model-api.runcomfy.net"),
        " https://api.example/ ": "https://api.example",
        "HTTPS://API.example:8443": "https://api.example:8443",
        "http://LOCALHOST": "http://localhost",
        "https://api.example:443": "https://api.example",
        "http://localhost:80/": "http://localhost",
    }
    as_it_is = ("http://127.0.0.1:8188", "http://127.9.9.9", "http://localhost:1", "http://[::1]:8188")
    rows |= {origin: origin for origin in (*as_it_is, "https://[2001:db8::1]")}
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
        "https://api.\udc80.example",  # as Python reads a byte that is no UTF-8
    ):
        with pytest.raises(RunComfyError, match="RUNCOMFY_API_BASE_URL") as refused:
            pytest.fail(f"{value} gave {api_origin({'RUNCOMFY_API_BASE_URL': value})}")
        assert SECRET not in str(refused.value) + repr(refused.value)
