"""The commands in README.md and CONTRIBUTING.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md")
STARTS = ("make ", "python -m ", "curl ", "comfy ", "pip ", ".venv/bin/", "RUNCOMFY_API_TOKEN=")
_BLOCK = re.compile(r"^```\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands(page: str) -> list[str]:
    """Every command, one that goes over several lines as a whole."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks: list[str] = _BLOCK.findall(text)
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _BLOCK.sub("", text))
    typed = [command for block in blocks for command in _commands_of(block)]
    return typed + [span for span in spans if span.startswith(STARTS)]


def _commands_of(block: str) -> list[str]:
    """A quotation that is still open goes on in the next line."""
    found: list[str] = []
    for line in block.splitlines():
        if found and found[-1].count("'") % 2:
            found[-1] += "\n" + line
        else:
            found.append(line)
    return found
