"""Damaged videos by the thousand: `python -m tests.video.fuzz --minutes 10`.

Each must give frames or a `VideoError`, in bounded time and memory. The files are read in processes of their own, so
that a crash is seen and told from an error.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import psutil

from nodes.errors import StopRequested
from nodes.rehearsal.render import render
from nodes.rehearsal.schema import VideoRequest
from nodes.video.decode import decode
from nodes.video.errors import VideoError
from tests.support.clips import Coding, numbered, write_clip
from tests.support.damage import spoilt

ROOT: Final = Path(__file__).resolve().parents[2]
BATCH: Final = 50
"""Files read by one process."""
HEVC: Final = Coding("libx265", {"preset": "ultrafast", "x265-params": "log-level=none"})
MOST_SECONDS: Final = 20.0
"""For one file of a few seconds of video."""
MOST_MEMORY: Final = 1500 * 1024 * 1024
"""Bytes for a whole process, libraries and all."""


@dataclass(frozen=True)
class Defect:
    """A file that was not treated as it has to be."""

    file: Path
    problem: str


def seeds(folder: Path) -> list[Path]:
    """Healthy files: a rehearsal, one with sound and its index at the end, one with tables for uneven frames."""
    film = folder / "rehearsal.mp4"
    film.write_bytes(render(VideoRequest(text="A boat, \U0001f6a3", ratio="1:1", duration=2)))
    return [
        film,
        write_clip(folder / "small.mp4", map(numbered, range(48))),
        write_clip(folder / "sound.mp4", map(numbered, range(24)), index_in_front=False, coding=Coding(sound=True)),
        write_clip(folder / "hevc.mp4", map(numbered, range(12)), coding=HEVC),
    ]


def hunt(files: Sequence[Path], numbers: Iterator[int], folder: Path, told: Counter[str]) -> Iterator[Defect]:
    """Spoil one batch of files and read them. Files that show a defect stay in ``folder``, the others go."""
    made: list[Path] = []
    for number in numbers:
        healthy = files[number % len(files)]
        damage, content = spoilt(healthy.read_bytes(), number)
        made.append(folder / f"{number}-{damage}-{healthy.name}")
        made[-1].write_bytes(content)
        if len(made) == BATCH:
            break
    for file, outcome in _read(made).items():
        told[outcome] += 1
        if outcome.startswith("!"):
            yield Defect(file, outcome[1:])
        else:
            file.unlink()


def _read(files: Sequence[Path]) -> dict[Path, str]:
    """What a process of its own makes of each file: `frames`, the name of a `VideoError`, or, after "!", a defect.

    After a crash or a hang the next process goes on behind it.
    """
    outcomes: dict[Path, str] = {}
    while left := [file for file in files if file not in outcomes]:
        with tempfile.TemporaryFile("w+") as noise:
            process = subprocess.Popen(command(left), cwd=ROOT, stdout=subprocess.PIPE, stderr=noise, text=True)
            ending = ""
            try:
                said, _ = process.communicate(timeout=MOST_SECONDS * 3 + 2 * len(left))
            except subprocess.TimeoutExpired:
                process.kill()
                said, _ = process.communicate()
                ending = "!it does not come to an end"
            for line in said.splitlines():
                name, outcome = json.loads(line)
                outcomes[Path(name)] = outcome
            if process.returncode and len(outcomes) < len(files):
                begun = next(file for file in left if file not in outcomes)
                noise.seek(0)
                outcomes[begun] = ending or f"!the process ended with {process.returncode}: {noise.read()[-500:]}"
    return outcomes


def command(files: Sequence[Path]) -> list[str]:
    """A reading process."""
    return [sys.executable, "-m", "tests.video.fuzz", "--read", *map(str, files)]


def read(file: Path) -> str:
    """What a reading process makes of a file."""
    ends = time.monotonic() + MOST_SECONDS
    used = 0

    def over() -> bool:
        nonlocal used
        used = max(used, psutil.Process().memory_info().rss)
        return time.monotonic() > ends

    try:
        decode(file, is_cancelled=over)
    except VideoError as error:
        return type(error).__name__
    except StopRequested:
        return "!it takes too long"
    except Exception as error:  # noqa: BLE001  to be told with the file that causes it
        return f"!{error!r}"
    if over():
        return "!it takes too long"
    return f"!it takes {used / 1e9:.1f} GB" if used > MOST_MEMORY else "frames"


def main() -> int:
    """Run for some time, print what came of it. Exit code 1 if there was any defect."""
    parser = argparse.ArgumentParser(prog="python -m tests.video.fuzz", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--first", type=int, default=0, help="the number of the first file; the same makes the same")
    parser.add_argument("--keep", type=Path, default=ROOT / ".cache" / "fuzz", help="where files with a defect stay")
    parser.add_argument("--read", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.read:
        for name in chosen.read:  # a line for each, at once, so that a crash costs only one of them
            print(json.dumps([name, read(Path(name))]), flush=True)
        return 0
    chosen.keep.mkdir(parents=True, exist_ok=True)
    told, defects, numbers = Counter[str](), 0, count(chosen.first)
    ends = time.monotonic() + chosen.minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        files = seeds(Path(folder))
        while time.monotonic() < ends:
            for defect in hunt(files, numbers, chosen.keep, told):
                defects += 1
                print(f"{defect.file}: {defect.problem}", flush=True)
    print(f"{sum(told.values())} damaged files, {defects} defects: {dict(told.most_common())}")
    return 1 if defects else 0


if __name__ == "__main__":
    raise SystemExit(main())
