"""How long to wait before trying again what has failed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Final

LONGEST_ASKED: Final = 300.0
"""Seconds; a service that asks for a longer pause is asked again after so many."""


@dataclass
class Backoff:
    """Pauses after failures: doubling, with jitter, never shorter than the service asked for."""

    random: Random = field(default_factory=Random)
    longest: float = 30.0
    """Seconds, where the service asks for none."""
    failures: int = 0

    def pause(self, at_least: float | None = None) -> float:
        """Seconds to wait after one more failure."""
        self.failures += 1
        doubled = min(self.longest, math.ldexp(0.5, min(self.failures, 10)))
        return max(doubled * self.random.uniform(0.5, 1), min(at_least or 0.0, LONGEST_ASKED))

    def reset(self) -> None:
        """A success: the next failure is a first one again."""
        self.failures = 0
