"""Where the token comes from, and that its value shows nowhere but in the header."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import requests

from nodes.runcomfy.errors import MissingToken
from nodes.runcomfy.token import Token, find_token

SECRET = "s3cr3t-0123456789"
ORDER = ("the saved token", "RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "YOUR_API_TOKEN")


def header(token: Token) -> str | None:
    return token(requests.Request("GET", "http://127.0.0.1/").prepare()).headers.get("Authorization")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "token"


@pytest.mark.parametrize("first", range(4))
def test_the_first_source_that_is_set_is_used(file: Path, first: int) -> None:
    environment = {name: f"value-of-{name}" for name in ORDER[max(first, 1) :]}
    if first == 0:
        file.write_text("value-of-the-file\n")
    token = find_token(environment, file)
    assert token.source == ORDER[first]
    assert header(token) == ("Bearer value-of-the-file" if first == 0 else f"Bearer value-of-{ORDER[first]}")


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_source_is_passed_over(file: Path, blank: str) -> None:
    file.write_text(blank)
    token = find_token({"RUNCOMFY_API_TOKEN": blank, "RUNCOMFY_TOKEN": SECRET}, file)
    assert token.source == "RUNCOMFY_TOKEN"


def test_white_space_around_it_is_not_part_of_it(file: Path) -> None:
    assert header(find_token({"RUNCOMFY_TOKEN": f" {SECRET}\n"}, file)) == f"Bearer {SECRET}"


def test_without_any_the_message_names_the_variable_and_the_way_without(file: Path) -> None:
    with pytest.raises(MissingToken, match=r"RUNCOMFY_API_TOKEN.*rehearsal"):
        find_token({}, file)


@pytest.mark.parametrize(
    "bad", ["two words", "line\nbreak", "tab\tin", "naïve", "nul\0", "escape\x1b[0m", "\u200bzero"]
)
@pytest.mark.parametrize("saved", [True, False])
def test_what_cannot_be_a_token_is_refused_without_being_shown(file: Path, bad: str, saved: bool) -> None:
    if saved:
        file.write_bytes(bad.encode())
    with pytest.raises(MissingToken, match="the saved token" if saved else "RUNCOMFY_TOKEN") as refused:
        find_token({} if saved else {"RUNCOMFY_TOKEN": bad}, file)
    assert bad not in str(refused.value) + repr(refused.value)


def test_a_saved_token_that_is_not_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MissingToken, match="the saved token"):
        find_token({"RUNCOMFY_TOKEN": SECRET}, file)


def test_a_saved_token_that_cannot_be_read_is_not_silently_replaced(file: Path) -> None:
    file.mkdir()
    with pytest.raises(MissingToken, match="cannot be read"):
        find_token({"RUNCOMFY_TOKEN": SECRET}, file)


def test_its_value_shows_in_no_text_form() -> None:
    token = Token(SECRET, "RUNCOMFY_TOKEN")
    assert "RUNCOMFY_TOKEN" in repr(token)
    for text in (repr(token), str(token), f"{token}", f"{token!r}", f"{[token]}", token.account):
        assert SECRET not in text


def test_it_can_be_neither_copied_nor_stored() -> None:
    token = Token(SECRET, "RUNCOMFY_TOKEN")
    for store in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError) as refused:
            store(token)
        assert SECRET not in str(refused.value)


def test_an_account_is_told_from_another_whatever_the_source() -> None:
    assert Token(SECRET, "RUNCOMFY_TOKEN").account == Token(SECRET, "YOUR_API_TOKEN").account
    assert Token(SECRET, "RUNCOMFY_TOKEN").account != Token(SECRET + "x", "RUNCOMFY_TOKEN").account
