"""This pack's decoder against ComfyUI's own, the two usual ways and the floors: `python -m benchmarks.decode`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.comfyui_source import ensure

from .clips import CLIPS, QUICK
from .decoders import Way
from .figures import Row, as_table, verdicts
from .machine import cores, describe
from .measure import ROOT, Sample, measure
from .report import publish

CACHE: Final = ROOT / ".cache"
ROUNDS: Final = 3
MOST_OF_CORE: Final = {"1080p, 5 s": 0.40, "1080p, 12 s": 0.15}
"""Goals by clip. Only 1080p has goals: there, memory and time hurt."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and publish. Returns 0: a missed goal is no failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one clip, one round; README.md stays as it is")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="medians are over so many (default %(default)s)")
    parser.add_argument("--clip", type=Path, action="append", default=[], help="a further file to measure with")
    chosen = parser.parse_args(arguments)
    files = {str(clip): clip.ensure(CACHE) for clip in (QUICK if chosen.quick else CLIPS)}
    files |= {clip.name: clip.resolve() for clip in chosen.clip}
    # A busy machine slows this pack most, which alone has work for every core.
    machine = describe()
    rows = _measure(files, 1 if chosen.quick else chosen.rounds)
    with_goals = [row for row in rows if row.clip in MOST_OF_CORE]
    goals = [each for row in with_goals for each in verdicts(row, MOST_OF_CORE[row.clip], cores())]
    publish("decode", machine, as_table(rows), goals=goals, quick=chosen.quick)
    return 0


def _measure(files: dict[str, Path], rounds: int) -> list[Row]:
    """Interleaved, so that a machine that grows slower or busier does so for all ways alike."""
    core = ensure(CACHE)
    samples: dict[str, dict[Way, list[Sample]]] = {name: {} for name in files}
    for number in range(rounds):
        for name, file in files.items():
            for way in Way:
                print(f"round {number + 1} of {rounds}: {name}, {way.value}", file=sys.stderr)
                sample = measure(way, file, core)
                if sample:
                    samples[name].setdefault(way, []).append(sample)
    return [Row(name, found) for name, found in samples.items()]


if __name__ == "__main__":
    sys.exit(main())
