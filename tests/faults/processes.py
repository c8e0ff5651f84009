"""Generations in processes of their own, started by the dozen."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.faults.generate_once import Place

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Report:
    """What became of one process."""

    outcome: str
    """video, unknown, error or killed."""
    lines: list[str]
    """What the user read."""
    places: list[Place]
    """The places that it passed, if it was traced."""


class Processes:
    """Runs one process at a time. A context manager."""

    def __enter__(self) -> Processes:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.generate_once"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def run(
        self, origin: str, folder: Path, token: str, *, deadly: Place | None = None, traced: bool = False
    ) -> Report:
        """Run one generation to its end, or to the place at which it is killed."""
        self.start(origin, folder, token, deadly=deadly, traced=traced)
        return self.wait()

    def start(
        self, origin: str, folder: Path, token: str, *, deadly: Place | None = None, traced: bool = False
    ) -> None:
        """Begin one; `wait` brings its report."""
        order = {
            "origin": origin,
            "folder": str(folder),
            "token": token,
            "deadly": deadly,
            "traced": traced or deadly is not None,
        }
        assert self._server.stdin
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()

    def wait(self) -> Report:
        """The report of the one that was started."""
        assert self._server.stdout
        told = json.loads(self._server.stdout.readline())
        places = [(str(file), int(line), int(times)) for file, line, times in told["places"]]
        return Report(told["outcome"], told["lines"], places)
