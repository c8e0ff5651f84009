"""Several ComfyUI servers with folders of their own that share an account and a journal in PostgreSQL: are all videos
bought once, while servers are killed, the database is restarted and its connections are cut?
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random
from typing import Final

import requests

from nodes.jobs.clock import Clock
from nodes.jobs.journal import Journal
from nodes.jobs.records import State
from nodes.jobs.video_files import request_id_of
from nodes.rehearsal import DEFAULT_TOKEN, Timing, VideoRequest
from tests.comfyui.graphs import ApiGraph
from tests.support.cutting_proxy import CuttingProxy
from tests.support.postgres import Postgres
from tests.support.rehearsal import RehearsalService

from ..comfyui import ComfyUI
from ..comfyui_client import Client, Status
from .graphs import generation
from .run import PACK

SERVERS: Final = 3
VIDEOS: Final = 5
"""That one graph asks for."""
HANGS: Final = 200.0
"""Seconds after which a graph is taken to hang; a submit call that nobody can know of is waited for for 90."""
ATTEMPTS: Final = 30


@dataclass
class Troubles:
    """What happens meanwhile."""

    kills: int
    database_restarts: int
    cuts: int

    def draw(self, random: Random) -> str:
        """One of those that are left, which is then one less; nothing where none is left."""
        left = [name for name, count in vars(self).items() for _ in range(count)]
        if not left:
            return ""
        name = random.choice(left)
        setattr(self, name, getattr(self, name) - 1)
        return name


@dataclass
class Server:
    """One ComfyUI and what it is asked for."""

    comfyui: ComfyUI
    graphs: list[tuple[int, ApiGraph]] = field(default_factory=list)
    """With the first of their seeds."""
    endings: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def work(self) -> None:
        """Run every graph until it succeeds."""
        for seed, graph in self.graphs:
            for _ in range(ATTEMPTS):
                try:
                    with Client(self.comfyui.url) as client:
                        ending = client.run(graph, timeout=HANGS).status.value
                except TimeoutError:
                    self.problems.append(f"the graph of seed {seed} hangs")
                    return
                except (ConnectionError, requests.RequestException):
                    ending = "killed"
                    time.sleep(2)
                self.endings[ending] += 1
                if ending == Status.SUCCESS.value:
                    break
            else:
                self.problems.append(f"the graph of seed {seed} never succeeds")


class ServersRun:
    """All of them at one service. A third of what is asked for is asked for twice, on whichever servers."""

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
        self._journal = Journal(None, Clock(), url)

    def run(self, videos: int, troubles: Troubles) -> None:
        """Ask for so many videos, and have the troubles come at random until all are there."""
        distinct = range(0, videos * 2 // 3, VIDEOS)
        seeds = [*distinct, *self._random.sample(distinct, videos // VIDEOS - len(distinct))]
        self._random.shuffle(seeds)
        for number, seed in enumerate(seeds):
            self.servers[number % SERVERS].graphs.append((seed, generation("Servers", seed, VIDEOS)))
        with ThreadPoolExecutor(SERVERS) as threads:
            list(threads.map(lambda server: server.comfyui.start(), self.servers))
            try:
                at_work = [threads.submit(server.work) for server in self.servers]
                while not all(work.done() for work in at_work):
                    self._strike(troubles)
                    time.sleep(self._random.uniform(0.3, 1.5))
                for work in at_work:
                    work.result()
            finally:
                for server in self.servers:
                    server.comfyui.stop()

    def problems(self) -> Iterator[str]:
        """Every broken promise, as a sentence."""
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
            for seed in (first + n for first, _ in server.graphs for n in range(VIDEOS)):
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
        counted = ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items()))
        return (
            f"{endings.total()} graphs on {SERVERS} servers ({counted}); {len(self._service.submissions)} jobs bought"
        )

    def _strike(self, troubles: Troubles) -> None:
        trouble = troubles.draw(self._random)
        if trouble == "kills":
            comfyui = self._random.choice(self.servers).comfyui
            comfyui.kill()
            comfyui.start()
        elif trouble == "database_restarts":
            self._postgres.stop()
            threading.Event().wait(self._random.uniform(0.1, 3.0))
            self._postgres.start()
        elif trouble == "cuts":
            self._proxy.cut()


def soak(base: Path, postgres: Postgres, videos: int, troubles: Troubles, seed: int) -> list[str]:
    """One run in a folder; prints its figures and returns every broken promise."""
    timing = Timing(queued=0.4, running=0.8, expiry=inf)
    film = VideoRequest(text="Soak", duration=2)
    with RehearsalService(timing=timing, video=film) as service, CuttingProxy(postgres.port) as proxy:
        run = ServersRun(base, service, postgres, proxy, Random(seed))
        run.run(videos, troubles)
        print(run.report())
        return list(run.problems())


def main(arguments: Sequence[str] | None = None) -> int:
    """60 videos. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak.servers", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of everything that happens by chance (%(default)s)")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="seedance-servers-") as folder, Postgres() as postgres:
        problems = soak(Path(folder), postgres, 60, Troubles(kills=6, database_restarts=2, cuts=20), chosen.seed)
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{len(problems)} problems" if problems else "Every video was bought once, or told as unknown, and is there.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
