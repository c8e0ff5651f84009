"""Generations in processes of their own, which can be killed at a given place of the code."""

from __future__ import annotations

import http.client
import multiprocessing
import sys
import threading
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import psutil

import nodes
from nodes.jobs.errors import OutcomeUnknown
from nodes.jobs.job import Video
from tests.support.real_engine import RealEngine

if TYPE_CHECKING:
    from _typeshed import TraceFunction

_NODES = Path(nodes.__file__).parent
WATCHED = {
    *(str(file) for folder in ("jobs", "runcomfy", "video") for file in (_NODES / folder).glob("*.py")),
    # Where the request leaves and the answer comes.
    http.client.__file__,
}
MOST_PASSES = 3
"""Passes of one line that count as different places; loops come by more often."""
SPAWN = "spawn"
QUICK = SPAWN if sys.platform == "win32" else "forkserver"
"""A start takes milliseconds where processes can be forked from one that has everything imported."""

Place = tuple[str, int, int]
"""A file, a line of it, and the how-manieth pass."""


@dataclass(frozen=True)
class Report:
    """What became of one generation."""

    outcome: str
    """video, unknown, error or killed."""
    lines: list[str] = field(default_factory=list)
    """What the user read."""
    places: list[Place] = field(default_factory=list)
    """The places that it passed, if it was traced."""


class Places:
    """A trace function that sees every watched line pass, in all threads, and kills the process at one of them."""

    def __init__(self, deadly: Place | None) -> None:
        self.passed: list[Place] = []
        self._deadly = deadly
        self._passes: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()

    def call(self, frame: FrameType, event: str, argument: Any) -> TraceFunction | None:
        return self.line if frame.f_code.co_filename in WATCHED else None

    def line(self, frame: FrameType, event: str, argument: Any) -> TraceFunction:
        if event == "line":
            at = (frame.f_code.co_filename, frame.f_lineno)
            with self._lock:
                self._passes[at] += 1
                place = (*at, self._passes[at])
                if place == self._deadly:
                    psutil.Process().kill()
                if place[2] <= MOST_PASSES:
                    self.passed.append(place)
        return self.line


def generate(
    origin: str, folder: Path, token: str, *, deadly: Place | None = None, traced: bool = False, journal_url: str = ""
) -> Report:
    """One run in this process, traced and perhaps killed at a place."""
    places = Places(deadly)
    if traced or deadly:
        threading.settrace(places.call)
        sys.settrace(places.call)
    engine = RealEngine(origin, folder, token=token, journal_url=journal_url)
    outcome = engine.run()
    sys.settrace(None)
    threading.settrace(None)
    word = "video" if isinstance(outcome, Video) else "unknown" if isinstance(outcome, OutcomeUnknown) else "error"
    report = Report(word, engine.lines, places.passed.copy())
    engine.close()
    return report


class Process:
    """One process after the other; the next one takes the place of one that was killed. A context manager."""

    def __init__(self, method: str = QUICK) -> None:
        self._context = multiprocessing.get_context(method)
        if method == "forkserver":
            multiprocessing.set_forkserver_preload([__name__])
        self._process = ProcessPoolExecutor(1, self._context)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.shutdown()

    def start(self, *run: Any, **options: Any) -> Future[Report]:
        """Begin a generation, by the arguments of `generate`."""
        return self._process.submit(generate, *run, **options)

    def run(self, *run: Any, **options: Any) -> Report:
        """Run one to its end, or to the place at which it is killed."""
        try:
            return self.start(*run, **options).result()
        except BrokenProcessPool:
            self._process.shutdown()
            self._process = ProcessPoolExecutor(1, self._context)
            return Report("killed")
