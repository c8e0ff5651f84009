"""`python -m tools.soak`: exits with 1 if a job was lost or bought twice, if anything hung, or if anything grew."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from nodes.rehearsal import Timing, VideoRequest
from tests.support.rehearsal import RehearsalService

from .chaos import Storm
from .faulty_proxy import Door
from .vitals import BOUND, Vitals, grown

FOOTAGE: Final = VideoRequest(text="Soak", duration=2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="default: %(default)g")
    parser.add_argument("--seed", type=int, default=1, help="of everything that happens by chance (%(default)s)")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="seedance-soak-") as folder:
        return soak(Path(folder), chosen.minutes * 60, chosen.seed)


def soak(base: Path, seconds: float, seed: int) -> int:
    """Let a storm rage so long over a ComfyUI in ``base``; print what came of it. Returns the exit code."""
    random = Random(seed)  # noqa: S311  chances, no secrets
    begun = time.monotonic()

    def told(line: str) -> None:
        print(f"[{time.monotonic() - begun:6.0f} s] {line}", flush=True)

    with Door(random) as door:
        timing = Timing(queued=0.4, running=0.8, expiry=float("inf"))
        with RehearsalService(timing=timing, video=FOOTAGE) as service:
            door.lead_to(service.origin)
            storm = Storm(base, door, service, random)
            told(f"seed {seed}, {seconds / 60:g} minutes")
            with storm.comfyui:
                warm = storm.rage(seconds, told)
                told("the storm is over; what nobody waited for is collected")
                end = storm.calm()
            problems = [*storm.books().problems(), *grown(warm, end), *(f"a graph hung: {k}" for k in storm.log.hung)]
    print(report(storm, door, warm, end))
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{len(problems)} problems" if problems else "No job lost, none bought twice, nothing grew.")
    return 1 if problems else 0


def report(storm: Storm, door: Door, warm: Vitals, end: Vitals) -> str:
    """All figures."""
    log, books = storm.log, storm.books()
    return "\n".join(
        [
            f"graphs        {log.graphs.total()}: {_counts(f'{kind} {end}' for kind, end in log.graphs.elements())}",
            f"trouble       {log.stops} Stops, {log.service_restarts} restarts of the service, "
            f"{log.comfyui_restarts} of ComfyUI, {door.happened.total()} mishaps: "
            + _counts(mishap.value for mishap in door.happened.elements()),
            f"service       {len(books.service)} jobs: {_counts(job.state.value for job in books.service)}",
            f"journal       {len(books.journal)} rows: {_counts(entry.state.value for entry in books.journal)}",
            f"videos        {len(books.on_disk)} on disk",
            f"warmed up     {warm}",
            f"at the end    {end}",
            f"may grow by   {BOUND}",
        ]
    )


def _counts(words: Iterable[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items()))


if __name__ == "__main__":
    sys.exit(main())
