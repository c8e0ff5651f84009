"""`python -m tools.soak`: exits with 1 if a job was lost or bought twice, a budget passed, if anything hung or grew.

Three quarters of the time on one ComfyUI, beside the jobs panel in a browser; then on several at one PostgreSQL.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from random import Random
from typing import Final

from nodes.rehearsal import Timing
from tests.support.postgres import Postgres
from tests.support.rehearsal import RehearsalService, small_videos

from . import servers
from .faulty_proxy import FaultyProxy
from .panel import opened_panel
from .resources import BOUND, PAGE_BOUND, Resources, grown
from .run import SoakRun

SERVERS_SHARE: Final = 0.25
"""Of the time."""
GOOD: Final = "No job lost, none bought twice, no budget passed, nothing grew."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="default: %(default)g")
    parser.add_argument("--seed", type=int, default=1, help="of everything that happens by chance (%(default)s)")
    chosen = parser.parse_args(arguments)
    seconds = chosen.minutes * 60
    with tempfile.TemporaryDirectory(prefix="seedance-soak-") as folder, Postgres() as postgres:
        problems = soak(Path(folder) / "one", seconds * (1 - SERVERS_SHARE), chosen.seed, with_browser=True)
        problems += servers.soak(Path(folder), postgres, seconds * SERVERS_SHARE, chosen.seed)
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{len(problems)} problems" if problems else GOOD)
    return 1 if problems else 0


def soak(base: Path, seconds: float, seed: int, *, with_browser: bool) -> list[str]:
    """Send random graphs so long to a ComfyUI in ``base``; print what came of it. Returns every broken promise."""
    random = Random(seed)
    begun = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - begun:6.0f} s] {line}", flush=True)

    timing = Timing(queued=0.4, running=0.8)
    with RehearsalService(timing=timing, make=small_videos()) as service, FaultyProxy(service, random) as proxy:
        soaking = SoakRun(base, proxy, service, random, with_browser=with_browser)
        say(f"seed {seed}, {seconds / 60:g} minutes")
        with soaking.comfyui, opened_panel(soaking.comfyui.url) if with_browser else nullcontext() as soaking.panel:
            warm = soaking.run(seconds, say)
            say("no more trouble; what nobody waited for is collected")
            end = soaking.settle()
        ledger, panel = soaking.ledger(), soaking.panel
        hung = (f"a graph hung: {kind}" for kind in soaking.log.hung)
        problems = [*ledger.problems(), *soaking.budget.problems, *grown(warm, end, BOUND), *hung]
        if panel:
            problems += [*panel.problems, *grown(panel.measured[0], panel.measured[-1], PAGE_BOUND)]
    print(report(soaking, proxy, warm, end), flush=True)
    return problems


def report(soaking: SoakRun, proxy: FaultyProxy, warm: Resources, end: Resources) -> str:
    """All figures."""
    log, ledger = soaking.log, soaking.ledger()
    page = [*soaking.panel.measured, PAGE_BOUND] if soaking.panel else []
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
            *(f"page          {each}" for each in page),
        ]
    )


def _counts(words: Iterable[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items()))


if __name__ == "__main__":
    sys.exit(main())
