"""Whole runs on systems that this one is not: a virus scanner, a coarse clock, few open files."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nodes import rehearsal
from nodes.engine import Engine, Folders
from nodes.jobs.job import Video
from nodes.jobs.waiting import Run
from nodes.rehearsal import Timing
from nodes.runcomfy.request import GenerationRequest
from tests.support.fake_runcomfy import TurningClock, reply
from tests.support.machine import FakeMachine
from tests.support.real_engine import RealEngine, fast
from tests.support.rehearsal import RehearsalService, small_videos


def held_at_first(monkeypatch: pytest.MonkeyPatch, name: str) -> set[Path]:
    """Let a method of `Path` fail once for each file, as Windows lets it while a scanner looks at what is new.

    Windows' errors 5 and 32 are both a PermissionError.
    """
    real: Callable[..., Any] = getattr(Path, name)
    held: set[Path] = set()

    def method(self: Path, *args: Any, **options: Any) -> Any:
        if self not in held and self.parent.name in ("videos", "private") and self.exists():
            held.add(self)
            raise PermissionError(13, "The file is being used by another process", str(self))
        return real(self, *args, **options)

    monkeypatch.setattr(Path, name, method)
    return held


def test_a_scanner_that_holds_every_file_at_first_costs_no_second_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RehearsalService(timing=Timing(queued=1, running=4), clock=fast, make=small_videos()) as service:
        for bought, name in enumerate(("replace", "open"), 1):
            engine = RealEngine(service.origin, tmp_path / name)
            with monkeypatch.context() as patched:
                held = held_at_first(patched, name)
                outcome = engine.run()
            again = engine.run()
            engine.close()
            assert held, "so that this test can fail"
            # What has arrived and cannot even be opened is said to be so, and is there the next time.
            assert isinstance(outcome, Video) or name == "open", (name, outcome)
            assert isinstance(again, Video), (name, again)
            assert len(service.submissions) == bought, name
            assert [file.suffix for file in again.files[0].parent.iterdir()] == [".mp4"], name


class CoarseClock(TurningClock):
    """Shows 64 different moments a second, as Windows does: what is short takes no time at all."""

    def wall(self) -> float:
        return math.floor(super().wall() * 64) / 64

    def monotonic(self) -> float:
        return math.floor(super().monotonic() * 64) / 64

    def with_sleep(self) -> float:
        return self.monotonic()


def test_a_clock_of_64_ticks_a_second_is_good_enough(tmp_path: Path) -> None:
    with closing(FakeMachine(tmp_path, CoarseClock())) as machine:
        machine.service.script["status"].append(reply(429, {"Retry-After": "1"}))
        assert machine.run().request_id == "job-1"
        assert machine.states() == ["saved"]
        assert machine.service.results_after_the_end() == 1


JOBS, OPEN_FILES = 200, 256


def rehearse(folder: Path) -> int:
    """Have many videos made at once in a process that may open few files; how many jobs brought theirs."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, most))

    # Drawing 200 videos would take minutes.
    def quick(tokens: tuple[str]) -> RehearsalService:
        return RehearsalService(tokens=tokens, timing=Timing(queued=0.2, running=1.0), make=small_videos())

    rehearsal.RehearsalService = quick  # type: ignore[misc,assignment]  # it is only called
    engine = Engine(Folders(folder / "videos", folder / "private"), {}, "tests")

    async def generate(seed: int) -> Video:
        run = Run(str(seed), "prompt", show=lambda _: None, is_stopped=lambda: False)
        request = GenerationRequest("A paper boat", duration=2, seed=seed)
        return await engine.generate(request, rehearsal=True, reuse=True, run=run)

    async def generate_all() -> list[Video]:
        return await asyncio.gather(*map(generate, range(JOBS)))

    videos = asyncio.run(generate_all())
    engine.close()
    return len({video.files for video in videos if video.files[0].is_file()})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit on open files")
def test_200_rehearsals_at_once_get_by_with_256_open_files(tmp_path: Path) -> None:
    """As many as macOS allows a program that is not started from a terminal."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        assert process.submit(rehearse, tmp_path).result() == JOBS
