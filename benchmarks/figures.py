"""From single measurements to medians, a table and verdicts. Measures nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from statistics import median
from typing import Final

from .decoders import Way
from .measure import Sample
from .report import Verdict, table

BYTES_PER_VALUE: Final = 4
HEAD: Final = ("Clip", "Way", "Wall s", "from", "to", "of generator", "of core", "CPU s", "Peak / tensor")


@dataclass(frozen=True)
class Figures:
    """Medians of one way and one clip."""

    wall: float
    """Seconds."""
    wall_range: tuple[float, float]
    cpu: float
    """Seconds of all threads."""
    peak: float | None
    """Memory as a multiple of the tensor; None from a floor that makes none."""


@dataclass(frozen=True)
class Row:
    """All measurements of one clip. A way that did not fit into the memory has none."""

    clip: str
    samples: dict[Way, list[Sample]]

    def __post_init__(self) -> None:
        shapes = {sample.shape for samples in self.samples.values() for sample in samples} - {None}
        if len(shapes) > 1:
            raise ValueError(f"{self.clip}: the ways disagree about the frames: {sorted(map(str, shapes))}")

    def figures(self, way: Way) -> Figures | None:
        """Medians over the rounds."""
        samples = self.samples.get(way)
        if not samples:
            return None
        walls = [sample.wall for sample in samples]
        peaks = [sample.peak / (prod(sample.shape) * BYTES_PER_VALUE) for sample in samples if sample.shape]
        cpu = median(sample.cpu for sample in samples)
        return Figures(median(walls), (min(walls), max(walls)), cpu, median(peaks) if peaks else None)

    def ratio(self, way: Way, to: Way) -> float | None:
        """How much of another way's wall time a way takes; rounds are paired, since the machine drifts."""
        pairs = zip(self.samples.get(way, []), self.samples.get(to, []), strict=False)
        ratios = [ours.wall / theirs.wall for ours, theirs in pairs]
        return median(ratios) if ratios else None


def as_table(rows: Sequence[Row]) -> str:
    """Everything measured, as Markdown."""
    return table(HEAD, [_cells(row, way) for row in rows for way in Way])


def _cells(row: Row, way: Way) -> list[str]:
    figures = row.figures(way)
    if figures is None:
        return [row.clip, way.value, "out of memory", *["-"] * (len(HEAD) - 3)]
    return [
        row.clip,
        way.value,
        *(f"{seconds:.2f}" for seconds in (figures.wall, *figures.wall_range)),
        *(_number(row.ratio(way, to)) for to in (Way.GENERATOR, Way.CORE)),
        f"{figures.cpu:.2f}",
        _number(figures.peak),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value >= 10 else f"{value:.2f}"


def verdicts(row: Row, most_of_core: float, cores: int) -> list[Verdict]:
    """The goals for a 1080p clip; those whose measurement did not fit into the memory are left out.

    Args:
        most_of_core: of core's time that this pack may take; core grows faster than the clip.
        cores: of the machine.
    """
    found = []
    for way, at_most in ((Way.GENERATOR, 0.45), (Way.CORE, most_of_core)):
        ratio = row.ratio(Way.OURS, way)
        if ratio is not None:
            found.append(Verdict(f"{row.clip}: time, of {way.value}'s", ratio, at_most))
    ours = row.figures(Way.OURS)
    if ours is None:
        return found
    if ours.peak is not None:
        found.append(Verdict(f"{row.clip}: peak memory, of the tensor", ours.peak, 1.03))
    floors = [row.figures(floor) for floor in (Way.DECODE_FLOOR, Way.TOUCH_FLOOR)]
    floor = sum(figures.cpu for figures in floors if figures) / cores
    if floor:
        found.append(Verdict(f"{row.clip}: time, of the floors' CPU time per core", ours.wall / floor, 1.25))
    return found
