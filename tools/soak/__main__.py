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

from .faulty_proxy import FaultyProxy
from .run import SoakRun
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
    """Send random graphs so long to a ComfyUI in ``base``; print what came of it. Returns the exit code."""
    random = Random(seed)
    begun = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - begun:6.0f} s] {line}", flush=True)

    timing = Timing(queued=0.4, running=0.8, expiry=float("inf"))
    with RehearsalService(timing=timing, video=FOOTAGE) as service, FaultyProxy(service, random) as proxy:
        soaking = SoakRun(base, proxy, service, random)
        say(f"seed {seed}, {seconds / 60:g} minutes")
        with soaking.comfyui:
            warm = soaking.run(seconds, say)
            say("no more trouble; what nobody waited for is collected")
            end = soaking.settle()
        hung = (f"a graph hung: {kind}" for kind in soaking.log.hung)
        problems = [*soaking.ledger().problems(), *grown(warm, end), *hung]
    print(report(soaking, proxy, warm, end))
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{len(problems)} problems" if problems else "No job lost, none bought twice, nothing grew.")
    return 1 if problems else 0


def report(soaking: SoakRun, proxy: FaultyProxy, warm: Vitals, end: Vitals) -> str:
    """All figures."""
    log, ledger = soaking.log, soaking.ledger()
    return "\n".join(
        [
            f"graphs        {log.graphs.total()}: {_counts(f'{kind} {end}' for kind, end in log.graphs.elements())}",
            f"trouble       {log.stops} Stops, {log.service_restarts} restarts of the service, "
            f"{log.comfyui_restarts} of ComfyUI, {proxy.injected.total()} faults: "
            + _counts(proxy.injected.elements()),
            f"service       {len(ledger.service)} jobs: {_counts(job.state.value for job in ledger.service)}",
            f"journal       {len(ledger.journal)} rows: {_counts(entry.state.value for entry in ledger.journal)}",
            f"videos        {len(ledger.on_disk)} on disk",
            f"warmed up     {warm}",
            f"at the end    {end}",
            f"may grow by   {BOUND}",
        ]
    )


def _counts(words: Iterable[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items()))


if __name__ == "__main__":
    sys.exit(main())
