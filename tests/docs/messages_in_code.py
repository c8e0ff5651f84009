"""Messages that are still written in the code, not in the locales. To be deleted with the last of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

NODES = Path(__file__).parents[2] / "nodes"
ROOTS = frozenset({"SeedanceError", "RunComfyError", "JobError", "VideoError"})
REASONS = {"JournalUnusable": 1, "InvalidProxy": 0, "ConnectError": 0}
"""Errors that are raised with a reason, and at which place of their arguments."""
PROBLEM = "validate_"
"""Functions whose name contains this return a sentence for the user."""


def all_messages() -> set[str]:
    """What happened, as the first sentence or sentences of each message."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in sorted(NODES.rglob("*.py"))]
    errors = _error_classes(trees)
    return {message for tree in trees for message in _messages(tree, errors)}


def all_reasons() -> set[str]:
    """What stands in brackets in messages: why a connection failed, and why the journal cannot be used."""
    found = set[str]()
    for file in NODES.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == "failure_reason":
                returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]
                found.update(text for value in returned for text in _texts(value, node))
        for call in _calls(tree):
            place = REASONS.get(call.func.id) if isinstance(call.func, ast.Name) else None
            if place is not None and len(call.args) > place:
                found.update(_texts(call.args[place], call))
    return found


def _error_classes(trees: list[ast.Module]) -> set[str]:
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = set(ROOTS)
    while more := {name for name, parents in bases.items() if parents & found} - found:
        found |= more
    return found


def _messages(tree: ast.Module, errors: set[str]) -> Iterator[str]:
    """Of one file: what its error classes say themselves, what the others are raised with, and its problems."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in errors:
            yield from _own(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for call in _calls(node):
                if isinstance(call.func, ast.Name) and call.func.id in errors and call.args:
                    # A class with a message of its own is handed only what differs, which is no sentence.
                    yield from (text for text in _texts(call.args[0], node) if text.endswith("."))
            if PROBLEM in node.name:
                for returned in ast.walk(node):
                    if isinstance(returned, ast.Return) and returned.value:
                        yield from _texts(returned.value, node)


def _own(error: ast.ClassDef) -> Iterator[str]:
    for stated in error.body:
        if isinstance(stated, ast.Assign) and ast.unparse(stated.targets[0]) == "template":
            yield from (re.sub(r"(\{[^}]*\})+", "…", text) for text in _texts(stated.value, error))
    for call in _calls(error):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__" and call.args:
            yield from _texts(call.args[0], error)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _texts(value: ast.expr, scope: ast.AST) -> Iterator[str]:
    """The texts that an expression may stand for."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        parts = (str(part.value) if isinstance(part, ast.Constant) else "…" for part in value.values)
        yield re.sub(r"…+", "…", "".join(parts))
    elif isinstance(value, ast.BinOp):
        yield next(_texts(value.left, scope), "…")
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body, scope)
        yield from _texts(value.orelse, scope)
    elif isinstance(value, ast.Name):
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == value.id for each in node.targets):
                yield from _texts(node.value, scope)
