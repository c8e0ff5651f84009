"""A proxy in front of a service that passes calls on, and breaks some of them. Also: a restart of the service."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random
from typing import Final

from tests.faults.faults import FAULTS, refusal
from tests.support.faulty_service import Fault, FaultyService
from tests.support.rehearsal import RehearsalService

SEVERAL: Final = (
    "reset before reading",
    "reset after reading",
    "reset in mid-body",
    "end in mid-body",
    "500",
    "503",
    "HTML",
)
KINDS: Final = {**{kind: FAULTS[kind] for kind in SEVERAL}, "429": refusal(429, headers={"Retry-After": "1"})}
"""What may happen to a call."""


class FaultyProxy(FaultyService):
    """Breaks calls by chance."""

    def __init__(self, service: RehearsalService, random: Random) -> None:
        self._random = random
        self._choosing = threading.Lock()
        self.chance = 0.0
        """Of a fault, for every call."""
        self.injected: Counter[str] = Counter()
        super().__init__(service, keep_alive=True)

    def fault_for(self, call: str) -> Fault | None:  # noqa: ARG002  any may break
        with self._choosing:
            if self._random.random() >= self.chance:
                return None
            kind = self._random.choice(list(KINDS))
            self.injected[kind] += 1
            return KINDS[kind]

    def close(self) -> None:
        """As when the service ends: refuse new connections and end the others."""
        self.shut()
        self.end_connections()
