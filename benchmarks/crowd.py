"""Many jobs at once through the engine that a node uses, in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nodes.engine import Engine, Folders
from nodes.jobs.errors import Stopped
from nodes.jobs.events import Event, Phase
from nodes.jobs.waiting import Run
from nodes.rehearsal import DEFAULT_TOKEN
from nodes.runcomfy.request import GenerationRequest
from nodes.video.decode import decode

SAMPLING: Final = 0.05
"""Seconds between two looks at the threads."""


@dataclass(frozen=True)
class Sample:
    """What a crowd of jobs took."""

    jobs: int
    wall: float
    """Seconds to the last video, decoded."""
    decoding: float
    """Seconds of them in which a video was being decoded; only one is at a time."""
    settling: float
    """Seconds from Stop to the word about the last job; 0 where nobody pressed it."""
    threads: int
    """Of this pack, at most."""
    memory: int
    """Bytes that the process grew by, at most."""
    outcomes: tuple[str, ...]
    """The request id that each item brought, or what Stop said about it; in the order of the items."""


def run(jobs: int, origin: str, *, stop: bool) -> Sample:
    """Run a crowd in a fresh process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_here, jobs, origin, stop=stop).result()


@dataclass
class _Crowd:
    """The items of one list, as ComfyUI runs them: one task each, all in one event loop."""

    engine: Engine
    queued: set[int] = field(default_factory=set)
    stop_at: int | None = None
    """Stop is pressed once so many jobs are seen in the queue."""
    pressed: float | None = None
    threads: int = 0
    decoding: float = 0.0

    async def run(self, jobs: int, *, stop: bool) -> list[str]:
        sampling = asyncio.create_task(self._sample())
        self.stop_at = jobs if stop else None
        outcomes = await asyncio.gather(*(self._item(number) for number in range(jobs)))
        sampling.cancel()
        return outcomes

    async def _item(self, number: int) -> str:
        def show(event: Event) -> None:
            if event.phase is Phase.QUEUED:
                self.queued.add(number)
            if len(self.queued) == self.stop_at and self.pressed is None:
                self.pressed = time.perf_counter()

        request = GenerationRequest("A paper boat", duration=2, seed=number)
        run = Run(str(number), "", show=show, is_stopped=lambda: self.pressed is not None)
        try:
            video = await self.engine.generate(request, rehearsal=False, reuse=True, run=run)
        except Stopped as stopped:
            return str(stopped)
        await asyncio.wrap_future(self.engine.executors.decodes.submit(self._decode, video.files[0]))
        return video.request_id

    def _decode(self, file: Path) -> None:
        begun = time.perf_counter()
        decode(file)
        self.decoding += time.perf_counter() - begun

    async def _sample(self) -> None:
        while True:
            ours = sum(thread.name.startswith("seedance") for thread in threading.enumerate())
            self.threads = max(self.threads, ours)
            await asyncio.sleep(SAMPLING)


def _here(jobs: int, origin: str, *, stop: bool) -> Sample:
    import torch  # noqa: F401  its import is no job's

    with tempfile.TemporaryDirectory(prefix="seedance-crowd-") as folder:
        account = {"RUNCOMFY_API_BASE_URL": origin, "RUNCOMFY_API_TOKEN": DEFAULT_TOKEN}
        environment = account | {"SEEDANCE_MAX_USD_PER_DAY": "0"}
        crowd = _Crowd(Engine(Folders(Path(folder, "videos"), Path(folder, "private")), environment, "crowd"))
        before, begun = _peak(), time.perf_counter()
        outcomes = asyncio.run(crowd.run(jobs, stop=stop))
        ended = time.perf_counter()
        settling = ended - crowd.pressed if crowd.pressed else 0.0
        peak = _peak() - before
        return Sample(jobs, ended - begun, crowd.decoding, settling, crowd.threads, peak, tuple(outcomes))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
