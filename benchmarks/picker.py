"""How long ComfyUI takes for the list of Load Seedance Video, and the pack to find a job's file, by how many there are:
`python -m benchmarks.picker`."""

from __future__ import annotations

import tempfile
import uuid
from functools import partial
from pathlib import Path
from typing import Final

import requests

from nodes.jobs.video_files import VideoFolder
from tools.comfyui import ComfyUI

from .decode import CACHE
from .machine import describe
from .measure import ROOT
from .report import Verdict, is_quick, median_ms, publish, table

COUNTS: Final = (500, 5000)
HEAD: Final = ("Videos", "the list, ms", "one job's file, ms")
ROUNDS: Final = 15
MOST: Final = 100.0
"""Milliseconds for the list of the first count."""


def main(*, quick: bool) -> None:
    """Measure and publish."""
    rows, listed = [], []
    with tempfile.TemporaryDirectory(dir=CACHE) as base, ComfyUI(Path(base), pack=ROOT) as server:
        videos = Path(base, "output", "seedance")
        for count in COUNTS:
            latest = fill(videos, count)
            listed.append(median_ms(partial(ask, server.url), ROUNDS))
            found = median_ms(partial(find, latest, videos), ROUNDS)
            rows.append([str(count), f"{listed[-1]:.1f}", f"{found:.2f}"])
    goal = Verdict(f"the list of {COUNTS[0]} videos, ms", listed[0], MOST)
    publish("picker", describe(), table(HEAD, rows), goals=[goal], quick=quick)


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


if __name__ == "__main__":
    main(quick=is_quick(__doc__))
