"""Reading JSON of any shape: a text, links or a number, wherever in it they stand."""

from __future__ import annotations

from typing import Final

_DEPTH: Final = 8
"""Levels of lists and objects that are looked into; the documented answers have three."""
_LONGEST: Final = 500
"""Characters of a text that is shown."""
_ABSURD: Final = 10**9
"""From here on, no place in a queue, sum of money or number of seconds is believed."""


def text_in(value: object, depth: int = _DEPTH) -> str:
    """A readable text out of a string, an error object or a list of them; empty where there is none."""
    if depth == 0:
        return ""
    if isinstance(value, str):
        return "".join(mark if mark.isprintable() else " " for mark in value[:_LONGEST]).strip()
    if isinstance(value, list):
        return "; ".join(text for item in value[:5] if (text := text_in(item, depth - 1)))[:_LONGEST]
    if isinstance(value, dict):
        field = _field(value.get("loc"))
        texts = (text_in(value.get(key), depth - 1) for key in ("message", "msg", "detail", "reason"))
        text = next(filter(None, texts), "")
        return f"{field}: {text}" if field and text else text or field
    return ""


def links_in(output: object, depth: int = _DEPTH) -> list[str]:
    """The video URLs of any documented shape of `output`."""
    if depth == 0:
        return []
    if isinstance(output, str):
        return [output] if output else []
    if isinstance(output, list):
        return [link for item in output for link in links_in(item, depth - 1)]
    if isinstance(output, dict):
        return [link for key in ("video", "videos", "url") for link in links_in(output.get(key), depth - 1)]
    return []


def count_in(value: object) -> int | None:
    """A whole number from 0 on, also one that is written as a text; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _ABSURD else None


def number_in(value: object) -> float | None:
    """A number from 0 on, also one that is written as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < _ABSURD else None


def _field(loc: object) -> str:
    """The name of the field that a rejected input's `loc` points to."""
    parts = loc if isinstance(loc, list) else []
    return ".".join(text_in(str(part)) for part in parts if isinstance(part, str | int) and part != "body")[:100]
