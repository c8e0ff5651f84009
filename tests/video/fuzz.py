"""Damaged videos by the thousand: `python -m tests.video.fuzz --minutes 10`.

Each must give frames or a `VideoError`, in bounded time and memory.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path
from typing import Final

import psutil

from nodes.errors import StopRequested
from nodes.rehearsal.render import VideoRequest, render
from nodes.video.decode import decode
from nodes.video.errors import VideoError
from nodes.video.file_format import check_mp4
from tests.support.clips import Coding, numbered, write_clip
from tests.support.damage import spoilt

KEEP: Final = Path(__file__).resolve().parents[2] / ".cache" / "fuzz"
HEVC: Final = Coding("libx265", {"preset": "ultrafast", "x265-params": "log-level=none"})
MOST_SECONDS: Final = 20.0
"""For one file of a few seconds of video."""
MOST_MEMORY: Final = 1000 * 1024 * 1024
"""Bytes for one file."""


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


def read(file: Path) -> str:
    """What becomes of a file: `frames`, the name of a `VideoError`, or, after "!", a defect."""
    before = used = psutil.Process().memory_info().rss
    ends = time.monotonic() + MOST_SECONDS

    def check() -> None:
        nonlocal used
        used = max(used, psutil.Process().memory_info().rss)
        if time.monotonic() > ends:
            raise StopRequested

    try:
        with suppress(VideoError):
            check_mp4(file)
        decode(file, check_stop=check)
        check()
    except VideoError as error:
        return type(error).__name__
    except StopRequested:
        return "!it takes too long"
    except Exception as error:  # noqa: BLE001  to be shown with the file that causes it
        return f"!{error!r}"
    return f"!it takes {(used - before) / 1e9:.1f} GB" if used - before > MOST_MEMORY else "frames"


def hunt(files: Sequence[Path], numbers: Iterable[int], folder: Path) -> Iterator[tuple[Path, str]]:
    """Spoil a file for each number. What became of it; files that show a defect stay in ``folder``, the others go.

    The file at which the process ends or hangs is the one that is still there, too.
    """
    for number in numbers:
        healthy = files[number % len(files)]
        damage, content = spoilt(healthy.read_bytes(), number)
        file = folder / f"{number}-{damage}-{healthy.name}"
        file.write_bytes(content)
        outcome = read(file)
        if not outcome.startswith("!"):
            file.unlink()
        yield file, outcome


def main() -> int:
    """Run for some time, print what came of it. Exit code 1 if there was any defect."""
    parser = argparse.ArgumentParser(prog="python -m tests.video.fuzz", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--first", type=int, default=0, help="the number of the first file; the same makes the same")
    parser.add_argument("--keep", type=Path, default=KEEP, help="where files with a defect stay")
    chosen = parser.parse_args()
    (chosen.keep / "healthy").mkdir(parents=True, exist_ok=True)
    outcomes = Counter[str]()
    ends = time.monotonic() + chosen.minutes * 60
    numbers = takewhile(lambda _: time.monotonic() < ends, count(chosen.first))
    for file, outcome in hunt(seeds(chosen.keep / "healthy"), numbers, chosen.keep):
        outcomes[outcome] += 1
        if outcome.startswith("!"):
            print(f"{file}: {outcome[1:]}", flush=True)
    defects = sum(number for outcome, number in outcomes.items() if outcome.startswith("!"))
    print(f"{sum(outcomes.values())} damaged files, {defects} defects: {dict(outcomes.most_common())}")
    return 1 if defects else 0


if __name__ == "__main__":
    raise SystemExit(main())
