"""Several ComfyUI servers with folders of their own that share an account and a journal in PostgreSQL: are all videos
bought once, while servers are killed, the database is restarted and its connections are cut?
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

import requests

from nodes.jobs.journal import Journal
from nodes.jobs.records import State
from nodes.jobs.video_files import request_id_of
from nodes.jobs.waiting import Clock
from nodes.rehearsal import DEFAULT_TOKEN, Timing
from tests.comfyui.graphs import ApiGraph
from tests.support.cutting_proxy import CuttingProxy
from tests.support.postgres import Postgres
from tests.support.rehearsal import RehearsalService, small_videos

from ..comfyui import ComfyUI
from ..comfyui_client import Client, Status
from .budget import PLENTY, Budget, ending
from .graphs import generation
from .run import PACK

SERVERS: Final = 3
VIDEOS: Final = 5
"""That one graph asks for."""
HANGS: Final = 200.0
"""Seconds after which a graph is taken to hang; a submit call that nobody can know of is waited for for 90."""
ATTEMPTS: Final = 30


TROUBLES: Final = ("kill",) * 6 + ("restart the database",) * 2 + ("cut",) * 20 + ("budget",) * 4
"""How often each of them comes, before any of them comes more often."""


@dataclass
class Server:
    """One ComfyUI and what it is asked for."""

    comfyui: ComfyUI
    seeds: list[int] = field(default_factory=list)
    """Of each graph, the first of its seeds."""
    endings: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def work(self, seeds: Iterator[int], ends: float) -> None:
        """Run the graphs of these seeds, each until it succeeds, and begin none after the end of the time."""
        while time.monotonic() < ends:
            seed = next(seeds)
            self.seeds.append(seed)
            self._bring(generation("Servers", seed, VIDEOS), seed)

    def _bring(self, graph: ApiGraph, seed: int) -> None:
        for _ in range(ATTEMPTS):
            try:
                with Client(self.comfyui.url) as client:
                    end = ending(client.run(graph, timeout=HANGS))
            except TimeoutError:
                self.problems.append(f"the graph of seed {seed} hangs")
                return
            except (ConnectionError, requests.RequestException):
                end = "killed"
            self.endings[end] += 1
            if end == Status.SUCCESS.value:
                return
            time.sleep(2)
        self.problems.append(f"the graph of seed {seed} never succeeds")


class ServersRun:
    """All of them at one service. A third of what is asked for is asked for again, on whichever server."""

    def __init__(
        self, base: Path, service: RehearsalService, postgres: Postgres, proxy: CuttingProxy, random: Random
    ) -> None:
        self._service, self._postgres, self._proxy, self._random = service, postgres, proxy, random
        url = postgres.new_database(proxy.port)
        environment = {
            "RUNCOMFY_API_BASE_URL": service.origin,
            "RUNCOMFY_API_TOKEN": DEFAULT_TOKEN,
            "SEEDANCE_JOURNAL_URL": url,
            "SEEDANCE_MAX_JOBS": "6",
        }
        self.servers = [
            Server(ComfyUI(base / f"server {number}", pack=PACK, env=environment)) for number in range(SERVERS)
        ]
        self._budget = Budget([server.comfyui.url for server in self.servers], service)
        self._journal = Journal(None, Clock(), url)
        self._struck: Counter[str] = Counter()

    def run(self, seconds: float, troubles: Sequence[str]) -> None:
        """Ask for videos so long, while the troubles come at random, again and again."""
        with ThreadPoolExecutor(SERVERS) as threads:
            list(threads.map(lambda server: server.comfyui.start(), self.servers))
            try:
                self._budget.leave(PLENTY)
                ends, seeds = time.monotonic() + seconds, self._seeds()
                at_work = [threads.submit(server.work, seeds, ends) for server in self.servers]
                left: list[str] = []
                while time.monotonic() < ends:
                    left = left or self._random.sample(troubles, len(troubles))
                    self._strike(left.pop())
                    time.sleep(self._random.uniform(0.3, 1.5))
                for work in at_work:
                    work.result()
            finally:
                for server in self.servers:
                    server.comfyui.stop()

    def _seeds(self) -> Iterator[int]:
        for number in count():
            repeats = number and self._random.random() < 1 / 3
            yield VIDEOS * (self._random.randrange(number) if repeats else number)

    def problems(self) -> Iterator[str]:
        """Every broken promise, as a sentence."""
        yield from self._budget.problems
        for server in self.servers:
            yield from server.problems
        ids = {job.request_id: int(str(job.input["seed"])) for job in self._service.submissions}
        bought = Counter(ids.values())
        rows = self._journal.records(10**6)
        self._journal.close()
        told = Counter(row.request.seed for row in rows if row.request and row.state is State.UNKNOWN_REPORTED)
        for server in self.servers:
            folder = server.comfyui.base / "output" / "seedance"
            there = {ids.get(request_id_of(file)) for file in folder.glob("*.mp4")}
            for seed in {first + n for first in server.seeds for n in range(VIDEOS)}:
                if seed not in there:
                    yield f"the video of seed {seed} is not on the disk of {server.comfyui.base.name}"
        for seed, times in bought.items():
            if times > 1 + told[seed]:
                yield f"seed {seed} was bought {times} times, and {told[seed]} outcomes of it were told as unknown"
        open_rows = [row for row in rows if row.state in (State.INTENDED, State.UNKNOWN, State.ACCEPTED)]
        yield from (f"{row.request_id or row.uid} is still {row.state.value}" for row in open_rows)

    def report(self) -> str:
        """All figures."""
        endings = sum((server.endings for server in self.servers), Counter[str]())
        counted, struck = (
            ", ".join(f"{number} {name}" for name, number in sorted(counter.items()))
            for counter in (endings, self._struck)
        )
        return (
            f"{endings.total()} graphs on {SERVERS} servers ({counted}); {len(self._service.submissions)} jobs bought; "
            f"trouble: {struck}"
        )

    def _strike(self, trouble: str) -> None:
        self._struck[trouble] += 1
        if trouble == "kill":
            comfyui = self._random.choice(self.servers).comfyui
            comfyui.kill()
            comfyui.start()
        elif trouble == "restart the database":
            self._postgres.stop()
            time.sleep(self._random.uniform(0.1, 3.0))
            self._postgres.start()
        elif trouble == "cut":
            self._proxy.cut()
        else:
            self._budget.leave(self._random.randint(1, 10))
            time.sleep(2)
            self._budget.allow_spent()
            time.sleep(self._random.uniform(1, 6))
            self._budget.check()
            self._budget.leave(PLENTY)


def soak(base: Path, postgres: Postgres, seconds: float, seed: int, *, troubles: Sequence[str] = TROUBLES) -> list[str]:
    """One run in a folder; prints its figures and returns every broken promise."""
    timing = Timing(queued=0.4, running=0.8)
    with RehearsalService(timing=timing, make=small_videos()) as service, CuttingProxy(postgres.port) as proxy:
        run = ServersRun(base, service, postgres, proxy, Random(seed))
        run.run(seconds, troubles)
        print(run.report())
        return list(run.problems())
