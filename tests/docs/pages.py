"""The commands in README.md and CONTRIBUTING.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md")
STARTS = ("make ", "python cli.py ", "curl ", "comfy ", "pip ", ".venv/bin/", "RUNCOMFY_API_TOKEN=")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands(page: str) -> list[str]:
    """Every command."""
    text = (ROOT / page).read_text(encoding="utf-8")
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _BLOCK.sub("", text))
    return [line for block in blocks(page) for line in block.splitlines()] + [
        span for span in spans if span.startswith(STARTS)
    ]


def blocks(page: str, language: str = "") -> list[str]:
    """The blocks of code in a language, of commands where none is named."""
    found: list[tuple[str, str]] = _BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    return [block for named, block in found if named == language]
