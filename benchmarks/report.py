"""What a benchmark found, as Markdown: printed, and in its place in README.md."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

README: Final = Path(__file__).resolve().parent / "README.md"


@dataclass(frozen=True)
class Verdict:
    """One goal held against its measurement."""

    goal: str
    reached: float
    at_most: float

    @property
    def met(self) -> bool:
        """Whether the measurement is within the goal."""
        return self.reached <= self.at_most

    def __str__(self) -> str:
        word = "met" if self.met else "MISSED"
        return f"{word}: {self.goal}: {self.reached:.3g}, at most {self.at_most:.3g}"


def is_quick(about: str | None) -> bool:
    """Whether the command line says `--quick`: smaller, perhaps, and README.md stays as it is."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller; README.md stays as it is")
    return bool(parser.parse_args().quick)


def median_ms(work: Callable[[], object], rounds: int) -> float:
    """Milliseconds that something takes, the median over some rounds."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begun))
    return median(taken)


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


def publish(name: str, *parts: str, goals: list[Verdict], quick: bool) -> None:
    """Print the parts and how the goals stand and, unless it was a quick look, put them between the name's two markers
    in README.md. Raises ValueError where that lacks one."""
    content = "\n\n".join((*parts, "\n".join(f"- {goal}" for goal in goals)))
    print(content)
    if quick:
        return
    begin, end = f"<!-- {name} begins -->", f"<!-- {name} ends -->"
    before, rest = README.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    README.write_text(f"{before}{begin}\n\n{content}\n\n{end}{after}", encoding="utf-8")
