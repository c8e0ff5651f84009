"""A soak itself: graph after graph, with everything that may go wrong around them."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import requests

from nodes.jobs.journal import Journal
from nodes.jobs.listing import PAGE
from nodes.jobs.records import State
from nodes.jobs.waiting import Clock
from nodes.rehearsal import DEFAULT_TOKEN, JobState
from tests.browser.conftest import SETTINGS, write_settings
from tests.comfyui.graphs import ApiGraph
from tests.support.rehearsal import RehearsalService

from ..comfyui import CACHE, ComfyUI
from ..comfyui_client import Client
from ..comfyui_events import Event
from ..comfyui_source import ensure
from ..front_end import front_end
from ..upscale_model import UPSCALER, write_tiny_upscaler
from .budget import PLENTY, Budget, ending
from .faulty_proxy import FaultyProxy
from .graphs import RandomGraphs, collecting, generation, upscaling
from .ledger import Ledger
from .panel import Panel
from .resources import Resources

PACK: Final = Path(__file__).resolve().parents[2]
PROBE: Final = PACK / "tests" / "support" / "probe"
"""A pack with nodes that ComfyUI lacks, such as a list of texts."""
HANGS: Final = 240.0
"""Seconds after which a graph is taken to hang."""
KILL_AT: Final = 0.25
"""Of the time, when ComfyUI is killed."""
WARM_AT: Final = 0.5
"""Of the time, when ComfyUI's threads, sockets, handles and memory are measured for the first time."""
OPEN: Final = (State.ACCEPTED, State.SUCCEEDED)


@dataclass
class Log:
    """What happened."""

    graphs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and ending."""
    stops: int = 0
    service_restarts: int = 0
    comfyui_restarts: int = 0
    hung: list[str] = field(default_factory=list)
    """Kinds of graphs that never ended."""


class SoakRun:
    """One ComfyUI at one service."""

    def __init__(
        self, base: Path, proxy: FaultyProxy, service: RehearsalService, random: Random, *, with_browser: bool
    ) -> None:
        shutil.copytree(PROBE, base / "custom_nodes" / "probe", ignore=shutil.ignore_patterns("__pycache__"))
        account = {"RUNCOMFY_API_BASE_URL": proxy.origin, "RUNCOMFY_API_TOKEN": DEFAULT_TOKEN}
        # Where other work keeps the cores busy, torch's threads wait for each other, and upscaling takes minutes.
        environment = account | {"PROBE_NETWORK_RECORD": str(base / "network.txt"), "OMP_NUM_THREADS": "1"}
        write_settings(base, SETTINGS)
        write_tiny_upscaler(base / "models" / "upscale_models" / UPSCALER)
        self.log = Log()
        page = front_end(ensure(CACHE), CACHE) if with_browser else None
        self.comfyui = ComfyUI(base, pack=PACK, env=environment, front_end=page)
        self.budget = Budget([self.comfyui.url], service)
        self.panel: Panel | None = None
        self._proxy = proxy
        self._service = service
        self._random = random
        self._graphs = RandomGraphs(random)
        self._journal = Journal(base / "user" / "__seedance" / "jobs.sqlite3", Clock())
        self._videos = base / "output" / "seedance"

    def run(self, seconds: float, say: Callable[[str], None]) -> Resources:
        """Send graphs so long, with trouble around them. Returns what ComfyUI held when it had warmed up."""
        begun = time.monotonic()
        self._reach_budget()
        self._until(begun + seconds * KILL_AT)
        say("ComfyUI is killed while a graph runs")
        self._kill_comfyui()
        self._restart_comfyui()
        self._until(begun + seconds * WARM_AT)
        warm = self.measure()
        say(f"warmed up: {warm}")
        self._until(begun + seconds)
        return warm

    def settle(self) -> Resources:
        """No more trouble: let every job end and collect what nobody waited for. Returns what ComfyUI holds then."""
        self._end_trouble()
        under_way = (JobState.IN_QUEUE, JobState.IN_PROGRESS)
        while any(job.state in under_way for job in self._service.submissions):
            time.sleep(0.2)
        with Client(self.comfyui.url) as client:
            for entry in self._journal.records(10**6):
                if entry.state in OPEN:
                    self._follow(client, "collect", collecting(entry.request_id))
        if self.panel:
            self.panel.expect_totals(sum(entry.cost or 0 for entry in self._journal.records(10**6)))
        return self.measure()

    def ledger(self) -> Ledger:
        """What there is to compare."""
        journal = self._journal.records(10**6)[::-1]
        on_disk = {file.name for file in self._videos.iterdir() if file.is_file()}
        return Ledger(journal, self._service.submissions, on_disk)

    def measure(self) -> Resources:
        """What ComfyUI holds when it has nothing to do and has been asked to free what it can; the page is measured,
        too."""
        if self.panel:
            self.panel.measure(len(self._journal.records(PAGE)))
        requests.post(f"{self.comfyui.url}/free", json={"unload_models": True, "free_memory": True}, timeout=30)
        time.sleep(2)
        return Resources.of(self.comfyui.pid)

    def _end_trouble(self) -> None:
        self._proxy.chance = 0.0
        self.budget.leave(PLENTY)

    def _reach_budget(self) -> None:
        """Learn the price from a first video, and spend no more than that."""
        with Client(self.comfyui.url) as client:
            for text, videos in (("The first", 1), ("The one that is too much", 0)):
                self.budget.leave(videos)
                self._follow(client, "single", generation(text, seed=0, count=1))

    def _until(self, ends: float) -> None:
        with Client(self.comfyui.url) as client:
            while time.monotonic() < ends:
                self._inject_trouble()
                graph = self._graphs.next([job.request_id for job in self._service.submissions[-20:]])
                if self.panel:
                    self.panel.browse()
                self._follow(client, *graph, self._random.randrange(1, 40) if self._random.random() < 0.3 else None)

    def _inject_trouble(self) -> None:
        """What else happens while the next graph runs."""
        self._proxy.chance = self._random.choice((0.0, 0.03, 0.1, 0.3))
        self.budget.leave(self._random.randrange(5) if self._random.random() < 0.2 else PLENTY)
        if self._random.random() < 0.1:
            self._service.fail_next(self._random.choice(("The prompt violates the policy", "Out of workers", "")))
        if self._random.random() < 0.08 and not self._proxy.is_shut:
            self.log.service_restarts += 1
            self._proxy.close()
            threading.Timer(self._random.uniform(0.3, 3), self._proxy.open).start()

    def _follow(self, client: Client, kind: str, graph: ApiGraph, stop_at: int | None = None) -> None:
        """Run a graph; at its event of that number, Stop is pressed."""
        seen = 0

        def on_event(_: Event) -> None:
            nonlocal seen
            seen += 1
            if seen == stop_at:
                self.log.stops += 1
                client.interrupt()

        try:
            run = client.run(graph, on_event=on_event, timeout=HANGS)
        except TimeoutError:
            self.log.hung.append(kind)
            client.interrupt()
        else:
            self.log.graphs[kind, ending(run)] += 1
        self.budget.check()

    def _kill_comfyui(self) -> None:
        """Kill ComfyUI in the middle of a list of jobs."""
        with Client(self.comfyui.url) as client:
            before = len(self._service.submissions)
            self._end_trouble()
            while len(self._service.submissions) < before + 2:
                client.queue(self._graphs.next([])[1])
                time.sleep(0.5)
            self.comfyui.kill()
            self.log.comfyui_restarts += 1

    def _restart_comfyui(self) -> None:
        """As a user does who then goes on where it was killed."""
        self.comfyui.start()
        if self.panel:
            self.panel.expect_back()
        with Client(self.comfyui.url) as client:
            # Which also removes what was being written.
            self._follow(client, "upscale", upscaling(generation("The first", seed=0, count=1), crf=40))
