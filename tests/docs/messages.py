"""Every error message that there is: with `…` for what differs from case to case."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from nodes.texts import ENGLISH
from tests.locales.texts import flat

NODES = Path(__file__).parents[2] / "nodes"


def all_messages() -> set[str]:
    """What happened, in one sentence or two each."""
    return {text for key, text in sentences() if re.match(r"errors\..*\.(message|late)$|input\.", key)} - {"…"}


def all_reasons() -> set[str]:
    """What stands in brackets in messages: why a connection failed, and why the journal cannot be used."""
    return {text for key, text in sentences() if "reasons." in key}


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
    """By their keys in the locales."""
    return [(key, re.sub(r"(\{\w+\})+", "…", text)) for key, text in flat(ENGLISH).items()]
