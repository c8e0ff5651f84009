"""Tables as Markdown, and their places in README.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

README: Final = Path(__file__).resolve().parent / "README.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well in a terminal: first column left, the others right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        "| "
        + " | ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in (head, rule, *rows)
    ]
    return "\n".join(f"{line} |" for line in lines)


def write(name: str, content: str, file: Path = README) -> None:
    """Replace what stands between a name's two markers.

    Raises:
        ValueError: the file lacks a marker.
    """
    begin, end = f"<!-- {name} begins -->", f"<!-- {name} ends -->"
    before, found, rest = file.read_text(encoding="utf-8").partition(begin)
    _, also_found, after = rest.partition(end)
    if not (found and also_found):
        raise ValueError(f"{file.name} has no place for {name}")
    file.write_text(f"{before}{begin}\n\n{content}\n\n{end}{after}", encoding="utf-8")
