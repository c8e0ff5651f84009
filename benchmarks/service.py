"""A rehearsal service in a process of its own, so that what it takes does not count for those who call it."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from nodes.rehearsal import Timing
from tests.support.rehearsal import RehearsalService, Submission, small_videos


@dataclass(frozen=True)
class Look:
    """A look at the service's books."""

    calls: Counter[str]
    """How often each kind of call came in."""
    jobs: tuple[Submission, ...]
    """In the order in which they were accepted."""


class ServiceProcess:
    """From entering the `with` block to leaving it.

    Args:
        latency: seconds that every answer takes, and as long again for a new connection.
    """

    def __init__(self, timing: Timing, latency: float = 0.0) -> None:
        # Not a fork: the threads of the process that measures must not come along.
        spawning = multiprocessing.get_context("spawn")
        self._here, there = spawning.Pipe()
        self._process = spawning.Process(target=_serve, args=(there, timing, latency), daemon=True)

    def __enter__(self) -> ServiceProcess:
        self._process.start()
        self.origin = str(self._here.recv())
        return self

    def __exit__(self, *_: object) -> None:
        self._here.send("stop")
        self._process.join()

    def look(self) -> Look:
        """What has come in by now."""
        self._here.send("look")
        seen: Look = self._here.recv()
        return seen


def _serve(there: Connection[Any, Any], timing: Timing, latency: float) -> None:
    with RehearsalService(timing=timing, make=small_videos(), latency=latency) as service:
        there.send(service.origin)
        while there.recv() == "look":
            calls = Counter({kind: count for (_, kind), count in service.calls.items()})
            there.send(Look(calls, service.submissions))
