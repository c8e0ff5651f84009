"""docs/trouble.md explains every message that the code can give, and none that it cannot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.messages import all_messages

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "trouble.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| You see")
]


def test_the_code_has_messages() -> None:
    found = all_messages()
    assert len(found) > 50
    assert "No RunComfy token is set." in found
    assert "… is incomplete: it has no … box." in found


def test_every_message_is_explained() -> None:
    assert sorted(all_messages() - {row[0] for row in ROWS}) == []


def test_no_row_is_out_of_date() -> None:
    assert sorted({row[0] for row in ROWS} - all_messages()) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_says_why_and_what_to_do(row: list[str]) -> None:
    _, cause, cure = row
    assert cause.endswith(".")
    assert cure.endswith(".")


def test_no_message_has_two_rows() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS)
