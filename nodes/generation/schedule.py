"""When to look again: sparse before a job can be ready, dense when it is due.

With the hazard h(t), the rate at which jobs that still run at t end, the sum of lag and calls is least at
sqrt(h(t) / (2 * price)) looks a second, where `price` is how many seconds of lag one call is worth: polling at the
interval d costs a lag of d/2 when the job ends in between, and 1/d calls a second until then.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from ..runcomfy.request import GenerationRequest

PRICE_OF_A_CALL: Final = 0.015
PRICE_WHEN_OVERDUE: Final = 0.007
"""Lower: past the time that the user was told, every second counts more."""
FIRST_LOOK: Final = 1.0
SHORTEST: Final = 0.4
LONGEST: Final = 10.0
STEP: Final = 0.1
"""Seconds; pauses are multiples of it."""
SPREAD_AT_FIRST: Final = 0.25
"""Standard deviation of the logarithm of the time, before there is any history."""
ENOUGH_HISTORY: Final = 3
WEIGHT_OF_FIRST_GUESS: Final = 5
"""How many jobs the first guess at the spread counts for."""

_SECONDS_FOR_TEN: Final = {"480p": 50.0, "720p": 65.0, "1080p": 100.0}


@dataclass(frozen=True)
class PollSchedule:
    """The looks at one job, from a log-normal guess at how long it takes."""

    expected: float
    """Seconds from acceptance to the end, median."""
    spread: float = SPREAD_AT_FIRST

    @classmethod
    def learnt(cls, request: GenerationRequest, history: Sequence[float]) -> PollSchedule:
        """From the durations of earlier jobs of the same size and length, else from the documented times."""
        if len(history) < ENOUGH_HISTORY:
            return cls(_SECONDS_FOR_TEN[request.resolution] * request.duration / 10)
        logs = [math.log(max(seconds, 0.1)) for seconds in history]
        middle = statistics.median(logs)
        # By the median deviation, as a normal distribution has it: a job that was refused after two seconds says
        # nothing about the others.
        seen = 1.4826 * statistics.median(abs(log - middle) for log in logs)
        weighed = len(logs) * seen**2 + WEIGHT_OF_FIRST_GUESS * SPREAD_AT_FIRST**2
        return cls(math.exp(middle), math.sqrt(weighed / (len(logs) + WEIGHT_OF_FIRST_GUESS)))

    def delay(self, elapsed: float) -> float:
        """Seconds to wait for the next look, ``elapsed`` seconds after acceptance."""
        if elapsed < FIRST_LOOK:
            return FIRST_LOOK
        # Never longer than the time gone by: the guess may be wrong, and the first looks show the queue.
        longest = min(elapsed, LONGEST)
        looks = 0.0
        # Summed up rather than taken at this moment: a pause must not reach past the time when the job is due.
        for step in range(1, int(longest / STEP) + 1):
            looks += STEP * self._looks_a_second(elapsed + step * STEP)
            if looks >= 1:
                return max(SHORTEST, step * STEP)
        return longest

    def _looks_a_second(self, elapsed: float) -> float:
        price = PRICE_OF_A_CALL if elapsed < self.expected else PRICE_WHEN_OVERDUE
        return math.sqrt(self._hazard(elapsed) / (2 * price))

    def _hazard(self, elapsed: float) -> float:
        z = (math.log(elapsed) - math.log(self.expected)) / self.spread
        alive = math.erfc(z / math.sqrt(2)) / 2
        if alive < 0.01:
            # Past everything that was expected: as if such a job ended within a fifth of its age.
            return 5 / elapsed
        density = math.exp(-z * z / 2) / (elapsed * self.spread * math.sqrt(2 * math.pi))
        return density / alive


ScheduleFor = Callable[[GenerationRequest, list[float]], PollSchedule]
"""From a request and the durations of earlier jobs like it."""


LONGEST_ASKED: Final = 300.0
"""Seconds; a service that asks for a longer pause is asked again after so many."""


@dataclass
class Backoff:
    """Pauses after failures: doubling, with jitter, never shorter than the service asked for."""

    random: Random = field(default_factory=Random)
    longest: float = 30.0
    failures: int = 0

    def pause(self, at_least: float | None = None) -> float:
        """Seconds to wait after one more failure."""
        self.failures += 1
        doubled = min(self.longest, math.ldexp(0.5, min(self.failures, 10)))
        return max(doubled * self.random.uniform(0.5, 1), min(at_least or 0.0, LONGEST_ASKED))

    def reset(self) -> None:
        """A success: the next failure is a first one again."""
        self.failures = 0
