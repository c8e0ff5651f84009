"""The real engine over real sockets, with limits and a clock that let a test see minutes pass in seconds."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from nodes.jobs.account import Account, Reports
from nodes.jobs.claims import RENEW_SECONDS, Claims
from nodes.jobs.clock import Clock
from nodes.jobs.events import Event
from nodes.jobs.job import Run, Video
from nodes.jobs.journal import Journal
from nodes.jobs.quote import ListPrice
from nodes.jobs.runner import JobRunner
from nodes.jobs.waiting import Backoff, Executors, RateLimiter
from nodes.rehearsal import DEFAULT_TOKEN
from nodes.runcomfy.client import HttpTransport, Limits, RunComfy
from nodes.runcomfy.token import Token
from nodes.video.download import Download
from nodes.video.url_policy import media_session
from tests.support.fake_runcomfy import BOAT, go_by, let_rest

SPEED = 25.0
"""Seconds of the engine's clock in a real one; at more, a busy machine is too slow for its time limits."""
EPOCH = 1_700_000_000.0
"""Where the fast clock and the real one show the same."""
LIMITS = Limits(connect=5.0, read=1.0, total=2.0, submit=2.0)
"""Real seconds; with less, a busy machine takes a healthy call for a lost one."""


class FastClock(Clock):
    """The system's clock, but faster."""

    def wall(self) -> float:
        # The same in all processes.
        return EPOCH + (time.time() - EPOCH) * SPEED

    def monotonic(self) -> float:
        return fast()

    def with_sleep(self) -> float:
        return fast()

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
    journal_url: str = ""
    """Where the journal is, if not in a file of the folder."""
    lines: list[str] = field(default_factory=list)
    """What the user has read."""
    stop_at: str = "\0"
    """Stop is pressed when the user reads this."""
    stopping: bool = False

    def __post_init__(self) -> None:
        clock = FastClock()
        self.executors = Executors()
        self.journal = Journal(self.folder / "private" / "jobs.sqlite3", clock, self.journal_url)
        go_by(clock, self.journal)
        self._claims = Claims(self.journal, renew_seconds=RENEW_SECONDS / SPEED)
        self._prompts = 0
        self._account = Account(
            client=RunComfy(HttpTransport(self.origin, Token(self.token, "the tests"), LIMITS), "the tests"),
            name=self.token,
            origin="https://runcomfy",  # whichever port it has
            journal=self.journal,
            claims=self._claims,
            reports=Reports("this server"),
            executors=self.executors,
            rate_limiter=RateLimiter(clock, Backoff()),
            price=ListPrice(Future, clock),
            clock=clock,
            folder=self.folder / "videos",
            open_download=self._download,
        )

    def run(self) -> Video | Exception:
        """One run of the node, queued now: its video, or what the user is told instead."""
        self.stopping = False
        self._prompts += 1
        prompt = f"prompt {self._prompts}"
        run = Run(prompt, prompt, lambda: frozenset({prompt}), self.show, lambda: self.stopping)
        try:
            return asyncio.run(JobRunner(self._account, run).generate(BOAT, reuse=True))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the user reads
            self.lines.append(str(error))
            return error

    def show(self, event: Event) -> None:
        self.lines.append(str(event))
        self.stopping = self.stopping or self.stop_at in str(event)

    def close(self) -> None:
        let_rest(self.executors)
        self._claims.close()
        self.executors.close()
        self.journal.close()

    def _download(self, target: Path) -> Download:
        return Download(target, media_session(self.origin), trusted_origin=self.origin)
