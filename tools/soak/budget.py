"""A budget that is set anew again and again, and sometimes reached: is ever more bought than it allows?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import requests

from nodes.jobs.errors import BudgetReached
from nodes.rehearsal import JobState
from tests.support.rehearsal import RehearsalService

from ..comfyui_client import Run

PRICE: Final = 0.04
"""US dollars, of each video of a soak."""
PLENTY: Final = 10_000
"""Videos."""
REFUSED: Final = "refused by the budget"
COSTS: Final = (JobState.IN_QUEUE, JobState.IN_PROGRESS, JobState.SUCCEEDED)


class Budget:
    """That of servers with one journal, set as the page of Settings does it.

    Args:
        urls: of the servers; all of them answer when a method is called.
    """

    def __init__(self, urls: Sequence[str], service: RehearsalService) -> None:
        self._urls = urls
        self._service = service
        self._limit = 0.0
        self.problems: list[str] = []

    def leave(self, videos: int) -> None:
        """Set it to what is spent and the price of so many videos; 0 needs one that was bought before."""
        self._limit = round(self.spent() + videos * PRICE, 6)
        for url in self._urls:
            requests.post(f"{url}/seedance/budget", json={"limit": self._limit}, timeout=60).raise_for_status()

    def spent(self) -> float:
        """What the pack says is spent, in US dollars."""
        answer = requests.get(f"{self._urls[0]}/seedance/budget", timeout=60)
        answer.raise_for_status()
        return float(answer.json()["spent"])

    def allow_spent(self) -> None:
        """Take what was bought on one server while the limit was set on another for allowed."""
        self._limit = max(self._limit, self.spent())

    def check(self) -> None:
        """Note if the service has sold more than the limit that was set last."""
        sold = round(PRICE * sum(job.state in COSTS for job in self._service.submissions), 6)
        if sold > self._limit:
            self.problems.append(f"${sold:.2f} were spent, of ${self._limit:.2f} in the budget")


def ending(run: Run) -> str:
    """How a run ended, in words."""
    is_refused = run.error and run.error.exception_type.endswith(BudgetReached.__name__)
    return REFUSED if is_refused else run.status.value
