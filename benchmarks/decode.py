"""This pack's decoder against ComfyUI's own and the usual pack's: `python -m benchmarks.decode`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median
from typing import Final

from tools.comfyui_source import ensure

from .clips import CLIPS, QUICK
from .decoders import Way
from .machine import describe
from .measure import ROOT, Sample, measure
from .report import Verdict, publish, table

CACHE: Final = ROOT / ".cache"
ROUNDS: Final = 3
MOST_OF_GENERATOR: Final = 0.45
MOST_OF_CORE: Final = {"1080p, 5 s": 0.40, "1080p, 12 s": 0.15}
"""Goals by clip: core grows faster than the clip. Only 1080p has goals: there, memory and time hurt."""
MOST_OF_TENSOR: Final = 1.03
BYTES_PER_VALUE: Final = 4
HEAD: Final = ("Clip", "Way", "Wall s", "from", "to", "of generator", "of core", "CPU s", "Peak / tensor")


@dataclass(frozen=True)
class Row:
    """All measurements of one clip. A way that did not fit into the memory has none."""

    clip: str
    samples: dict[Way, list[Sample]]

    def __post_init__(self) -> None:
        shapes = {sample.shape for samples in self.samples.values() for sample in samples}
        if len(shapes) > 1:
            raise ValueError(f"{self.clip}: the ways disagree about the frames: {sorted(map(str, shapes))}")

    def ratio(self, way: Way, to: Way) -> float | None:
        """How much of another way's wall time a way takes; rounds are paired, since the machine drifts."""
        pairs = zip(self.samples.get(way, []), self.samples.get(to, []), strict=False)
        ratios = [ours.wall / theirs.wall for ours, theirs in pairs]
        return median(ratios) if ratios else None

    def peak(self, way: Way) -> float:
        """Memory as a multiple of the tensor."""
        return median(sample.peak / (prod(sample.shape) * BYTES_PER_VALUE) for sample in self.samples[way])

    def cells(self, way: Way) -> list[str]:
        """A line of the table."""
        if way not in self.samples:
            return [self.clip, way.value, "out of memory", *["-"] * (len(HEAD) - 3)]
        walls = [sample.wall for sample in self.samples[way]]
        ratios = [self.ratio(way, to) for to in (Way.GENERATOR, Way.CORE)]
        cpu = median(sample.cpu for sample in self.samples[way])
        figures = (median(walls), min(walls), max(walls), *ratios, cpu, self.peak(way))
        return [self.clip, way.value, *("-" if figure is None else f"{figure:.2f}" for figure in figures)]

    def verdicts(self) -> list[Verdict]:
        """The goals, where the clip has any; those whose measurement did not fit into the memory are left out."""
        if self.clip not in MOST_OF_CORE or Way.OURS not in self.samples:
            return []
        found = []
        for way, at_most in ((Way.GENERATOR, MOST_OF_GENERATOR), (Way.CORE, MOST_OF_CORE[self.clip])):
            ratio = self.ratio(Way.OURS, way)
            if ratio is not None:
                found.append(Verdict(f"{self.clip}: time, of {way.value}'s", ratio, at_most))
        return [*found, Verdict(f"{self.clip}: peak memory, of the tensor", self.peak(Way.OURS), MOST_OF_TENSOR)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and publish. Returns 0: a missed goal is no failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one clip, one round; README.md stays as it is")
    parser.add_argument("--clip", type=Path, action="append", default=[], help="a further file to measure with")
    chosen = parser.parse_args(arguments)
    files = {str(clip): clip.ensure(CACHE) for clip in (QUICK if chosen.quick else CLIPS)}
    files |= {clip.name: clip.resolve() for clip in chosen.clip}
    # A busy machine slows this pack most, which alone has work for every core.
    machine = describe()
    rows = _measure(files, 1 if chosen.quick else ROUNDS)
    goals = [goal for row in rows for goal in row.verdicts()]
    publish(
        "decode", machine, table(HEAD, [row.cells(way) for row in rows for way in Way]), goals=goals, quick=chosen.quick
    )
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
