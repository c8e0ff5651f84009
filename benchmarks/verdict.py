"""A goal, what was reached, and whether that will do."""

from __future__ import annotations

from dataclasses import dataclass


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


def bullets(verdicts: list[Verdict]) -> str:
    """One line each, as a Markdown list."""
    return "\n".join(f"- {verdict}" for verdict in verdicts)
