"""The figures that `make faults` prints."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Filled by the tests while they run."""

    cells: Counter[str] = field(default_factory=Counter)
    """Of the matrix, by how they ended."""
    most_bought: int = 0
    """Jobs that the service accepted in one run of the matrix, at most."""
    kills: list[str] = field(default_factory=list)
    """What the kill test has to say."""

    def matrix(self, ending: str, bought: int) -> None:
        """Note a cell."""
        self.cells[ending] += 1
        self.most_bought = max(self.most_bought, bought)

    def lines(self) -> list[str]:
        """What there is to print."""
        if not self.cells:
            return self.kills
        endings = ", ".join(f"{count} {ending}" for ending, count in sorted(self.cells.items()))
        return [
            f"Matrix: {self.cells.total()} cells ({endings}); jobs bought in one run: {self.most_bought} at most",
            *self.kills,
        ]
