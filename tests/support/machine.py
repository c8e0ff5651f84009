"""A user's machine for one test, with an account and a journal; and one whose service and downloads follow a script."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import requests

from nodes.errors import SeedanceError
from nodes.jobs.claims import RENEW_SECONDS, Claims
from nodes.jobs.errors import JobError, Reports, Stopped
from nodes.jobs.events import Event
from nodes.jobs.job import Account, Video
from nodes.jobs.journal import Journal
from nodes.jobs.quote import ListPrice
from nodes.jobs.records import JobRecord
from nodes.jobs.runner import JobRunner
from nodes.jobs.waiting import Backoff, Clock, Executors, RateLimiter, Run
from nodes.runcomfy.client import RunComfy
from nodes.runcomfy.request import GenerationRequest
from nodes.video.download import Download
from tests.support.fake_runcomfy import BOAT, ScriptedService, TurningClock
from tests.support.tiny_mp4 import TINY_MP4


def go_by(clock: Clock, journal: Journal) -> None:
    """Let a journal take a test's clock for that of its database."""
    vars(journal.database)["now"] = clock.wall


class ScriptedDownload(Download):
    """Fetches by following a script; without one, the whole file arrives."""

    def __init__(self, target: Path, machine: FakeMachine) -> None:
        super().__init__(target, requests.Session())
        self._machine = machine

    def attempt(self, link: str, progress: Callable[[int, int | None], None], check_stop: Callable[[], None]) -> None:
        self._machine.links.append(link)
        progress(0, len(TINY_MP4))
        if self._machine.during_download:
            self._machine.during_download()
        check_stop()
        if self._machine.downloads:
            failure = self._machine.downloads.popleft()
            if failure:
                raise failure
        self.received = len(TINY_MP4)
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.target.write_bytes(TINY_MP4)


class Machine:
    """A user in front of one machine with one account. `restart` is what a new process on it would see."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        journal_url: str,
        client: RunComfy,
        open_download: Callable[[Path], Download],
        *,
        name: str = "account",
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self.folder = folder
        self.clock = clock
        self.journal_url = journal_url
        """Where the journal is, if not in a file of the folder."""
        self.lines: list[str] = []
        """What the user has read."""
        self.stop_pressed = False
        self.stop_at = "\0"
        """Stop is pressed when the user reads this."""
        self.queued: frozenset[str] = frozenset()
        """The prompts that wait while another one runs."""
        self._client, self._open_download, self._name, self._renew_seconds = client, open_download, name, renew_seconds
        self._prompts = 0
        self._begin()

    def _begin(self) -> None:
        self.journal = Journal(self.folder / "private" / "jobs.sqlite3", self.clock, self.journal_url)
        go_by(self.clock, self.journal)
        self.executors = Executors()
        self.account = Account(
            client=self._client,
            name=self._name,
            origin="https://runcomfy",
            claims=Claims(self.journal, self._renew_seconds),
            reports=Reports("this server", lambda: self.queued),
            executors=self.executors,
            rate_limiter=RateLimiter(self.clock, Backoff(Random(1))),
            price=ListPrice(Future, self.clock),
            folder=self.folder / "videos",
            open_download=self._open_download,
            random=Random(1),
        )

    def restart(self) -> None:
        """Let a fresh process take the place of this one, which has died: its runs claim nothing any more."""
        self.close()
        self._begin()

    def close(self) -> None:
        """The process ends."""
        let_rest(self.executors)
        self.account.claims.close()
        self.executors.close()
        self.journal.close()

    def show(self, event: Event) -> None:
        self.lines.append(str(event))
        if self.stop_at in str(event):
            self.press_stop()

    def stop(self) -> bool:
        return self.stop_pressed

    def press_stop(self) -> None:
        self.stop_pressed = True

    def prompt(self, prompt_id: str = "", *, is_read: bool = True) -> Run:
        """One item of a prompt that is queued now, or was queued before under ``prompt_id``."""
        self._prompts += 1
        name = prompt_id or f"prompt {self._prompts}"
        return Run(f"run of {name}", name, self.show, self.stop, is_read, clock=self.clock)

    async def generate(self, request: GenerationRequest = BOAT, *, reuse: bool = True, run: Run | None = None) -> Video:
        return await JobRunner(self.account, run or self.prompt()).generate(request, reuse=reuse)


class FakeMachine(Machine):
    """A machine whose service and downloads follow a script, and whose clock is turned by sleeping."""

    clock: TurningClock

    def __init__(self, folder: Path, clock: TurningClock | None = None, journal_url: str = "") -> None:
        clock = clock or TurningClock()
        self.service = ScriptedService(clock)
        self.downloads: deque[Exception | None] = deque()
        self.during_download: Callable[[], object] | None = None
        self.links: list[str] = []
        """The links that were followed."""
        self.stop_seen = threading.Event()
        """Somebody has noticed that Stop is pressed."""
        self.stop_asked = threading.Event()
        """Somebody has looked whether it is pressed."""
        client = RunComfy(self.service, "RUNCOMFY_API_TOKEN")
        super().__init__(folder, clock, journal_url, client, lambda target: ScriptedDownload(target, self))

    def change(self, **fields: object) -> None:
        """Let the account be another one from now on, in these fields."""
        self.account = replace(self.account, **fields)  # type: ignore[arg-type]  # the names are Account's fields

    def stop(self) -> bool:
        self.stop_asked.set()
        if self.stop_pressed:
            self.stop_seen.set()
        return self.stop_pressed

    def run(self, request: GenerationRequest = BOAT, *, reuse: bool = True, run: Run | None = None) -> Video:
        """One run of the node."""
        return asyncio.run(self.generate(request, reuse=reuse, run=run))

    def fetch(self, request_id: str) -> Video:
        """The video of a job by its id."""
        return asyncio.run(JobRunner(self.account, self.prompt()).fetch(request_id))

    def stopped(self, at: str = "") -> str:
        """One run, and what Stop says, which is pressed when the user reads ``at`` or is otherwise."""
        self.stop_at = at or self.stop_at
        with pytest.raises(Stopped) as caught:
            self.run()
        self.stop_pressed, self.stop_at = False, "\0"
        return str(caught.value)

    def failed(self, error: type[SeedanceError], request: GenerationRequest = BOAT, *, run: Run | None = None) -> str:
        """One run, and what the user reads of its error."""
        with pytest.raises(error) as caught:
            self.run(request, run=run)
        return str(caught.value)

    def cut_off(self, when: Callable[[], object], how: Callable[[], object] | None = None) -> None:
        """One run that is cut off once ``when`` holds, as by a sibling that fails, or that ends by ``how``."""

        async def cut_off() -> None:
            run = asyncio.create_task(self.generate())
            while not when():  # noqa: ASYNC110 - no more than a turn of the loop each
                await asyncio.sleep(0)
            (how or run.cancel)()
            with pytest.raises((Stopped, asyncio.CancelledError)):
                await run

        asyncio.run(cut_off())

    def abandon(self, request: GenerationRequest = BOAT, *, reuse: bool = True) -> None:
        """Leave a job under way for which its run waits no longer."""
        account = self.account
        self.change(deadline=5.0)
        with pytest.raises(JobError, match="go on waiting for this job"):
            self.run(request, reuse=reuse)
        self.account = account

    def records(self) -> list[JobRecord]:
        """The journal, newest first, once all that is under way is written."""
        let_rest(self.executors)
        return self.journal.records()

    def states(self) -> list[str]:
        return [record.state.value for record in self.records()]

    @property
    def bought(self) -> int:
        """Jobs that the service has accepted."""
        return len(self.service.accepted)

    def said(self, phrase: str) -> int:
        """How many lines contain ``phrase``."""
        return sum(phrase in line for line in self.lines)


NewMachine = Callable[[], FakeMachine]
"""The fixture `new_machine`: one for each row of a table."""


def let_rest(executors: Executors) -> None:
    """Wait until the threads have nothing else to do."""
    # Calls write to the journal when they end, so its executor comes last.
    for executor in (executors.calls, executors.cancels, executors.downloads, executors.journal):
        threads = executor._max_workers
        idle = threading.Barrier(threads)
        for future in [executor.submit(idle.wait, 30.0) for _ in range(threads)]:
            future.result(30.0)
