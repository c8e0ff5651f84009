"""How long ComfyUI takes for the list of Load Seedance Video, and the pack to find a job's file, by how many there are:
`python -m benchmarks.picker`."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import requests

from nodes.jobs.file_names import VideoFolder
from tools.comfyui import ComfyUI

from .decode import CACHE
from .machine import describe
from .measure import ROOT
from .report import Verdict, publish, table

COUNTS: Final = (500, 5000)
HEAD: Final = ("Videos", "the list, ms", "one job's file, ms")
ROUNDS: Final = 15
MOST: Final = 100.0
"""Milliseconds for the list of the first count."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and publish. Returns 0: a missed goal is no failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="README.md stays as it is")
    quick = parser.parse_args(arguments).quick
    rows, listed = [], []
    with tempfile.TemporaryDirectory(dir=CACHE) as base, ComfyUI(Path(base), pack=ROOT) as server:
        videos = Path(base, "output", "seedance")
        for count in COUNTS:
            latest = fill(videos, count)
            listed.append(milliseconds(partial(ask, server.url)))
            found = milliseconds(partial(find, latest, videos))
            rows.append([str(count), f"{listed[-1]:.1f}", f"{found:.2f}"])
    goal = Verdict(f"the list of {COUNTS[0]} videos, ms", listed[0], MOST)
    publish("picker", describe(), table(HEAD, rows), goals=[goal], quick=quick)
    return 0


def find(request_id: str, folder: Path) -> None:
    """Find a job's file, as a run does."""
    VideoFolder(folder).find(request_id)


def fill(folder: Path, count: int) -> str:
    """Make so many files in all; returns the id of the last one."""
    folder.mkdir(exist_ok=True)
    for _ in range(count - sum(1 for _ in folder.iterdir())):
        request_id = str(uuid.uuid4())
        (folder / f"20261126-fox-trots-through-fresh-snow-s7-{request_id}.mp4").write_bytes(b"\0")
    return request_id


def ask(server: str) -> None:
    """Ask for the node's definition, in which the list is, as the browser does."""
    answer = requests.get(f"{server}/object_info/LoadSeedanceVideo", timeout=30)
    answer.raise_for_status()


def milliseconds(work: Callable[[], object]) -> float:
    """The median over some rounds."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
