"""When to look again: sparse before a job can be ready, dense when it is due.

With the hazard h(t), the rate at which jobs that still run at t end, the sum of lag and calls is least at
sqrt(h(t) / (2 * worth)) looks a second, where `worth` is how many seconds of lag one call is worth: polling at the
interval d costs a lag of d/2 when the job ends in between, and 1/d calls a second until then.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..runcomfy.request import GenerationRequest

CALL_COST_SECONDS: Final = 0.015
"""Seconds of lag that one call is worth."""
CALL_COST_SECONDS_WHEN_OVERDUE: Final = 0.007
"""Seconds; fewer: past the time that the user was told, every second counts more."""
FIRST_POLL: Final = 1.0
"""Seconds after acceptance."""
SHORTEST: Final = 0.4
"""Seconds between two looks, however soon the job is due."""
LONGEST: Final = 10.0
"""Seconds between two looks, however far off the end is."""
STEP: Final = 0.1
"""Seconds; pauses are multiples of it."""
SPREAD: Final = 0.25
"""Standard deviation of the logarithm of the time. To learn it from history sees ends no sooner."""
ENOUGH_HISTORY: Final = 3

_SECONDS_FOR_TEN: Final = {"480p": 50.0, "720p": 65.0, "1080p": 100.0}
"""Seconds from acceptance to the end, for ten seconds of video. Source: the typical times that RunComfy publishes."""


@dataclass(frozen=True)
class PollSchedule:
    """The looks at one job, from a log-normal guess at how long it takes."""

    expected: float
    """Seconds from acceptance to the end, median."""

    @classmethod
    def learnt(cls, request: GenerationRequest, history: Sequence[float]) -> PollSchedule:
        """From the durations of earlier jobs of the same size and length, else from the documented times."""
        if len(history) < ENOUGH_HISTORY:
            return cls(_SECONDS_FOR_TEN[request.resolution] * request.duration / 10)
        return cls(max(statistics.median(history), 0.1))

    def delay(self, elapsed: float) -> float:
        """Seconds to wait for the next look, ``elapsed`` seconds after acceptance."""
        if elapsed < FIRST_POLL:
            return FIRST_POLL
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
        worth = CALL_COST_SECONDS if elapsed < self.expected else CALL_COST_SECONDS_WHEN_OVERDUE
        return math.sqrt(self._hazard(elapsed) / (2 * worth))

    def _hazard(self, elapsed: float) -> float:
        z = (math.log(elapsed) - math.log(self.expected)) / SPREAD
        alive = math.erfc(z / math.sqrt(2)) / 2
        if alive < 0.01:
            # Past everything that was expected: as if such a job ended within a fifth of its age.
            return 5 / elapsed
        density = math.exp(-z * z / 2) / (elapsed * SPREAD * math.sqrt(2 * math.pi))
        return density / alive


ScheduleFor = Callable[[GenerationRequest, list[float]], PollSchedule]
"""From a request and the durations of earlier jobs like it."""
