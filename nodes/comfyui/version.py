"""What the pack says about itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"


@dataclass(frozen=True)
class About:
    """The pack's version and where it lives."""

    version: str
    repository: str


def about(project: Path = PROJECT) -> About:
    """Read from pyproject.toml, the one place where both are written. Raises `OSError` or `LookupError`."""
    # Not tomllib: Python 3.10 has none.
    text = project.read_text(encoding="utf-8")
    found = dict(re.findall(r'^(version|Repository) = "([^"]+)"$', text, re.MULTILINE))
    return About(found["version"], found["Repository"])
