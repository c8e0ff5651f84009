"""docs/trouble.md explains every message that the code can give, and none that it cannot."""

from __future__ import annotations

import re

from tests.docs.messages import all_messages, all_reasons, all_texts
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "trouble.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of all tables that begin with a heading."""
    found: list[list[str]] = []
    for table in re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        found += [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]
    return found


def test_every_message_has_one_row_with_its_cause_and_what_to_do() -> None:
    table, messages = rows("You see"), all_messages()
    explained = [row[0] for row in table]
    assert len(messages) > 50
    assert "No RunComfy token is set." in messages
    assert sorted(messages - set(explained)) == [], "not explained"
    assert sorted(set(explained) - messages) == [], "out of date"
    assert len(set(explained)) == len(explained), "two rows for one message"
    for message, cause, cure in table:
        assert cause.endswith("."), message
        assert cure.endswith("."), message


def test_every_reason_in_brackets_has_a_row_with_what_to_do() -> None:
    table, reasons = rows("In brackets"), all_reasons()
    assert len(reasons) > 15
    assert {"no connection", "SOCKS proxies are not supported"} <= reasons
    assert sorted(reasons - {row[0] for row in table}) == [], "not explained"
    for reason, cure in table:
        assert cure.endswith("."), reason


def test_no_row_is_in_a_table_that_is_not_checked_and_the_list_of_headings_is_whole() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    headings = [line for line in lines if line.startswith(("| You see |", "| In brackets |"))]
    assert len(rows("You see")) + len(rows("In brackets")) == len(lines) - len(headings)
    named = dict(re.findall(r"^- \[([^\]]+)\]\(#([^)]+)\)$", PAGE, re.MULTILINE))
    assert list(named) == re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    for heading, anchor in named.items():
        assert anchor == heading.lower().replace(" ", "-"), heading
    assert set(re.findall(r"\(#([^)]+)\)", PAGE)) == set(named.values())


def test_nobody_is_told_to_delete_a_file() -> None:
    told = all_texts() | {PAGE}
    assert len(told) > 500
    assert [text for text in told if re.search(r"\b[Dd]elete (it|them|the|this|that)\b", text)] == []
