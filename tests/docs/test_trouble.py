"""docs/trouble.md explains every message that the code can give, and none that it cannot."""

from __future__ import annotations

import re

from tests.docs.messages import all_messages
from tests.docs.pages import ROOT


def test_every_message_has_one_row_with_its_cause_and_what_to_do() -> None:
    page = (ROOT / "docs" / "trouble.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in page.splitlines()
        if line.startswith("| ") and not line.startswith("| You see")
    ]
    messages = all_messages()
    assert len(messages) > 50
    assert "No RunComfy token is set." in messages
    assert sorted(messages - {row[0] for row in rows}) == [], "not explained"
    assert sorted({row[0] for row in rows} - messages) == [], "out of date"
    assert len({row[0] for row in rows}) == len(rows), "two rows for one message"
    for message, cause, cure in rows:
        assert cause.endswith("."), message
        assert cure.endswith("."), message
