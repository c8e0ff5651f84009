"""The real engine over real sockets, with limits and a clock that let a test see minutes pass in seconds."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

from nodes.jobs.claims import RENEW_SECONDS
from nodes.jobs.job import Video
from nodes.jobs.waiting import Clock
from nodes.rehearsal import DEFAULT_TOKEN
from nodes.runcomfy.client import HttpTransport, Limits, RunComfy
from nodes.runcomfy.token import Token
from nodes.video.download import Download
from nodes.video.url_policy import media_session
from tests.support.machine import Machine

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


class RealEngine(Machine):
    """A machine with a service and downloads over sockets."""

    def __init__(self, origin: str, folder: Path, token: str = DEFAULT_TOKEN, journal_url: str = "") -> None:
        client = RunComfy(HttpTransport(origin, Token(token, "the tests"), LIMITS), "the tests")
        open_download = partial(Download, session=media_session(origin))
        renewing = RENEW_SECONDS / SPEED
        super().__init__(folder, FastClock(), journal_url, client, open_download, name=token, renew_seconds=renewing)

    def run(self) -> Video | Exception:
        """One run of the node, queued now: its video, or what the user is told instead."""
        self.stop_pressed = False
        try:
            return asyncio.run(self.generate())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the user reads
            self.lines.append(str(error))
            return error
