"""docs/trouble.md explains every message that the code can give, and none that it cannot."""

from __future__ import annotations

import ast
import re

from nodes.texts import ENGLISH
from tests.docs.pages import ROOT
from tests.locales.texts import flat

NODES = ROOT / "nodes"
PAGE = (ROOT / "docs" / "trouble.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of all tables that begin with a heading."""
    found: list[list[str]] = []
    for table in re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        found += [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]
    return found


def test_every_message_has_one_row_with_its_cause_and_what_to_do() -> None:
    table = rows("You see")
    messages = {text for key, text in sentences() if re.match(r"errors\..*\.(message|late)$|input\.", key)} - {"…"}
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
    """Why a connection failed, and why the journal cannot be used."""
    table, reasons = rows("In brackets"), {text for key, text in sentences() if "reasons." in key}
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


def test_the_code_knows_every_key_of_a_message_and_no_other() -> None:
    """Else a rare error would end in a KeyError of its own."""
    keys = {key for key, _ in sentences()}
    calls = [node for file in NODES.rglob("*.py") for node in ast.walk(ast.parse(file.read_bytes()))]
    used = {key for key in map(key_of, calls) if key}
    assert len(used) > 50
    assert used <= keys
    quoted = {part for text in all_texts() for part in text.split(".")}
    errors = {key.split(".")[-2] for key in keys if key.endswith(".message")}
    assert errors - quoted == set(), "no error of the code"


def key_of(node: ast.AST) -> str:
    """Of a sentence that a call names: `Text(key)`, or an error that hands its own to its base."""
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        key = str(node.args[0].value)
        if isinstance(node.func, ast.Name) and node.func.id == "Text":
            return key
        if isinstance(node.func, ast.Attribute) and node.func.attr == "__init__" and key[:1].islower():
            return f"errors.{key}.message"
    return ""


def all_texts() -> set[str]:
    """Every text in the code, or piece of one, that is no docstring, and every sentence of the locales."""
    found = {text for _, text in sentences()}
    for file in NODES.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        constants = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings)
        found.update(constant.value for constant in constants if isinstance(constant.value, str))
    return found


def sentences() -> list[tuple[str, str]]:
    """What the code can say, by its keys in the locales: with `…` for what differs from case to case."""
    return [(key, re.sub(r"(\{\w+\})+", "…", text)) for key, text in flat(ENGLISH).items()]
