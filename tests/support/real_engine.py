"""The real engine over real sockets, with limits and a clock that let a test see minutes pass in seconds."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from nodes.jobs.rate_limiter import RateLimiter

from nodes.jobs.claims import Claims
from nodes.jobs.events import Event
from nodes.jobs.executors import Executors
from nodes.jobs.journal import Journal
from nodes.jobs.retry import Backoff
from nodes.jobs.runner import JobRunner
from nodes.jobs.services import Services, Video
from nodes.rehearsal import DEFAULT_TOKEN
from nodes.runcomfy.client import HttpTransport, Limits, RunComfy
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.token import Token
from nodes.video.download import Download
from nodes.video.url_policy import media_session
from tests.support.fake_runcomfy import let_go

BOAT = GenerationRequest("A paper boat", duration=2)
SPEED = 50.0
"""Seconds of the engine's clock in a real one."""
LIMITS = Limits(connect=5.0, read=0.4, total=0.8, submit=0.8)


class FastClock:
    """The system's clock, but faster."""

    def wall(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


def fast() -> float:
    """The same for a rehearsal service."""
    return time.monotonic() * SPEED


@dataclass
class RealEngine:
    """A user in front of one machine."""

    origin: str
    folder: Path
    token: str = DEFAULT_TOKEN
    lines: list[str] = field(default_factory=list)
    """What the user has read."""
    stop_at: str = "\0"
    """Stop is pressed when the user reads this."""
    stopping: bool = False

    def __post_init__(self) -> None:
        clock = FastClock()
        self.executors = Executors()
        self.journal = Journal(self.folder / "private" / "jobs.sqlite3")
        self._claims = Claims(self.journal, self.folder / "private" / "owners")
        self.generator = JobRunner(
            Services(
                client=RunComfy(HttpTransport(self.origin, Token(self.token, "the tests"), LIMITS), "the tests"),
                account=self.token,
                journal=self.journal,
                claims=self._claims,
                executors=self.executors,
                rate_limiter=RateLimiter(clock, Backoff()),
                clock=clock,
                folder=self.folder / "videos",
                open_download=self._download,
            )
        )

    def run(self) -> Video | Exception:
        """One run of the node: its video, or what the user is told instead."""
        self.stopping = False
        try:
            return asyncio.run(self.generator.generate(BOAT, events=self.show, stop=lambda: self.stopping))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the user reads
            self.lines.append(str(error))
            return error

    def show(self, event: Event) -> None:
        self.lines.append(str(event))
        self.stopping = self.stopping or self.stop_at in str(event)

    def close(self) -> None:
        let_go(self._claims, self.executors)
        self.executors.close()
        self.journal.close()

    def _download(self, target: Path) -> Download:
        return Download(target, media_session(self.origin), trusted_origin=self.origin)
