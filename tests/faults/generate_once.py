"""Runs generations one after the other, each in a process of its own that kills itself at a given place of the code.

Started as a module, it reads one order per line (see `Processes.start`) and answers each with one line of JSON.
The processes are forked from this one, which has everything imported already: a start takes milliseconds.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

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

Place = tuple[str, int, int]
"""A file, a line of it, and the how-manieth pass."""


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
                    os.kill(os.getpid(), signal.SIGKILL)
                if place[2] <= MOST_PASSES:
                    self.passed.append(place)
        return self.line


def generate(order: dict[str, object]) -> dict[str, object]:
    """One run; what became of it."""
    deadly = order["deadly"]
    places = Places((str(deadly[0]), int(deadly[1]), int(deadly[2])) if isinstance(deadly, list) else None)
    if order["traced"]:
        threading.settrace(places.call)
        sys.settrace(places.call)
    engine = RealEngine(str(order["origin"]), Path(str(order["folder"])), token=str(order["token"]))
    outcome = engine.run()
    sys.settrace(None)
    threading.settrace(None)
    told = "video" if isinstance(outcome, Video) else "unknown" if isinstance(outcome, OutcomeUnknown) else "error"
    return {"outcome": told, "lines": engine.lines, "places": places.passed}


def main() -> None:
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as report:
                json.dump(generate(json.loads(line)), report)
            # Not through the interpreter's own end, which would wait for idle threads.
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as report:
            said = report.read()
        _, status = os.waitpid(child, 0)
        # A thread may pass the deadly place while the report is being written, and leave half of it.
        print('{"outcome": "killed", "lines": [], "places": []}' if status else said, flush=True)


if __name__ == "__main__":
    main()
