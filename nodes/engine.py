"""Puts accounts, folders and the work on jobs together, and owns what lives longer than one video."""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .files import PRIVATE_FOLDER, REHEARSAL_FOLDER, VIDEO_FOLDER
from .jobs.budget import PRICE_SECONDS, BudgetSetting
from .jobs.claims import Claims, server_id
from .jobs.download import check_before_submit, download_link, find_files
from .jobs.errors import JobError, Reports
from .jobs.job import Account, Video
from .jobs.journal import Journal
from .jobs.poll import ENOUGH_HISTORY
from .jobs.postgres import JOURNAL_URL
from .jobs.quote import ListPrice, Quote, QuoteKind, quote
from .jobs.records import Order, RequestKey
from .jobs.runner import JobRunner
from .jobs.video_files import LINK_PREFIX, request_id_of
from .jobs.waiting import Backoff, Clock, Executors, RateLimiter, Run
from .runcomfy.client import HttpTransport, RunComfy
from .runcomfy.errors import MissingToken
from .runcomfy.responses import ModelInfo
from .runcomfy.token import Token, api_origin, find_token, is_loopback
from .video.download import Download
from .video.url_policy import media_session

if TYPE_CHECKING:
    from .rehearsal import RehearsalService
    from .runcomfy.request import GenerationRequest

REHEARSAL_DURATIONS: Final = (4.5,) * ENOUGH_HISTORY
"""Seconds; whatever is asked for."""
MAX_JOBS: Final = "SEEDANCE_MAX_JOBS"
"""Jobs of an account that may be at the service at once, over all servers that share the journal."""


@dataclass(frozen=True)
class Folders:
    videos: Path
    """Finished videos."""
    private: Path
    """Token, budget, journal and what could not be written to it, and the name of this server."""

    @classmethod
    def inside(cls, output: Path, user: Path) -> Folders:
        """Inside ComfyUI's folders."""
        return cls(output / VIDEO_FOLDER, user / PRIVATE_FOLDER)

    @property
    def rehearsals(self) -> Path:
        return self.videos / REHEARSAL_FOLDER

    @property
    def token(self) -> Path:
        return self.private / "token"

    @property
    def budget(self) -> Path:
        return self.private / "budget"


class Engine:
    """Generates videos and finds them again. May be used from any thread and event loop, until `close`.

    Args:
        environment: read anew for every video, except the address of the journal.
        server: a name that stays after a restart; the journal notes by it who has reported an unclear outcome.
        queued_prompts: the ids of those that are running or waiting.
    """

    def __init__(
        self,
        folders: Folders,
        environment: Mapping[str, str],
        server: str,
        queued_prompts: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self.folders = folders
        self.executors = Executors()
        self.environment = environment
        self._clock = Clock()
        self.journal = Journal(folders.private / "jobs.sqlite3", self._clock, environment.get(JOURNAL_URL, "").strip())
        """The record of the live jobs."""
        self.budget = BudgetSetting(folders.budget, environment)
        self._claims = Claims(self.journal)
        self.reports = Reports(f"{socket.gethostname()[:64]} {server_id(folders.private)} {server}", queued_prompts)
        self._public_media = media_session()
        self._lock = threading.Lock()
        self._live_accounts: dict[tuple[str, Token], Account] = {}
        """By origin and token. A user saves a handful of tokens at most; old ones may still be at work."""
        self._rehearsal: tuple[RehearsalService, Account] | None = None

    async def generate(self, request: GenerationRequest, *, rehearsal: bool, reuse: bool, run: Run) -> Video:
        """The video of a request: from disk, from an earlier job, or made now, which is paid unless it is a rehearsal.

        Raises as `JobRunner.generate` does; if it is paid, `RunComfyError` and `JobError`, too.
        """
        account = self._rehearsal_account() if rehearsal else self.live_account()
        return await JobRunner(account, run).generate(request, reuse=reuse)

    def quote(self, requests: Sequence[GenerationRequest], *, rehearsal: bool, reuse: bool) -> Quote:
        """What these videos would cost. Blocks, for seconds where RunComfy is asked for its price.

        Raises `JobError`, where the journal or a setting cannot be used, and `RunComfyError`.
        """
        if rehearsal:
            return Quote(QuoteKind.REHEARSAL, len(requests))
        origin = api_origin(self.environment)
        run_key = "" if reuse else "a new run"
        orders = [Order(request, RequestKey.of(request, account="", origin=origin), run_key) for request in requests]
        return quote(orders, self._claims, self.folders.videos, self._list_price)

    async def fetch_job(self, request_id: str, run: Run) -> Video:
        """The video of an earlier paid job. One that is on disk needs neither a token nor the service.

        Raises as `JobRunner.fetch` does; without a token or a service that can be used, as `live_account`.
        """
        for folder in (self.folders.videos, self.folders.rehearsals):
            if files := await find_files(request_id, folder, self.journal, self.executors, run):
                return Video(request_id, files, reused=True)
        return await JobRunner(self.live_account(), run).fetch(request_id)

    async def fetch_link(self, url: str, run: Run) -> Video:
        """A video from a public https link. Raises `VideoError` or `Stopped`."""
        name = f"{LINK_PREFIX}{hashlib.sha256(url.encode()).hexdigest()[:16]}.mp4"
        download = Download(self.folders.videos / name, self._public_media)
        return Video("", (await download_link(url, download, self.executors, run),))

    def load_file(self, file: Path) -> Video:
        """A video on disk, with its request id if it is a job's. Does not open the file."""
        of_a_job = file.parent in (self.folders.videos, self.folders.rehearsals)
        return Video(request_id_of(file) if of_a_job else "", (file,), reused=True)

    def live_account(self) -> Account:
        """The one whose token is in use. Raises `RunComfyError` and `JobError`."""
        token = find_token(self.environment, self.folders.token)
        origin = api_origin(self.environment)
        max_jobs = self.environment.get(MAX_JOBS, "").strip() or "0"
        if not (max_jobs.isascii() and max_jobs.isdigit()):
            raise JobError("invalidSetting", name=MAX_JOBS)
        with self._lock:
            if (origin, token) not in self._live_accounts:
                account = self._new_account(origin, token, self._claims, self.folders.videos)
                self._live_accounts[origin, token] = replace(account, limit=self.budget.limit)
            return replace(self._live_accounts[origin, token], max_jobs=int(max_jobs))

    def close(self) -> None:
        """Start nothing new and close what is open. Threads finish what they are doing, and write it down."""
        self.executors.close()
        self._claims.close()
        with self._lock:
            rehearsal, self._rehearsal = self._rehearsal, None
        if rehearsal:
            rehearsal[0].stop()
            rehearsal[1].claims.close()
        self.journal.close()

    def _list_price(self) -> ModelInfo:
        """The list price if it is known, or can be had in a few seconds. Blocks."""
        with suppress(MissingToken):
            price = self.live_account().price
            wait([price.answer()], PRICE_SECONDS)
            return price.known()
        return ModelInfo()

    def _rehearsal_account(self) -> Account:
        """For the rehearsal service inside this process, with a journal that ends with it."""
        from .rehearsal import RehearsalService

        with self._lock:
            if self._rehearsal is None:
                secret, claims = secrets.token_hex(), Claims(Journal(None, self._clock))
                service = RehearsalService((secret,))
                token = Token(secret, "the rehearsal")
                account = self._new_account(service.origin, token, claims, self.folders.rehearsals)
                self._rehearsal = service, replace(account, durations=REHEARSAL_DURATIONS)
            return self._rehearsal[1]

    def _new_account(self, origin: str, token: Token, claims: Claims, folder: Path) -> Account:
        """One whose jobs share a handful of connections, however many they are."""
        client = RunComfy(HttpTransport(origin, token, clock=self._clock.with_sleep), token.source)
        # Links in answers may point back to a service on this machine, but only if the service itself is there.
        trusted = origin if is_loopback(urlsplit(origin).hostname or "") else None
        session = media_session(trusted) if trusted else self._public_media
        return Account(
            client=client,
            name=token.account,
            origin=origin,
            claims=claims,
            reports=self.reports,
            executors=self.executors,
            rate_limiter=RateLimiter(self._clock, Backoff()),
            price=ListPrice(partial(self.executors.calls.submit, client.model_info), self._clock),
            folder=folder,
            open_download=partial(Download, session=session),
            check_before_submit=lambda: check_before_submit(
                folder, () if trusted else claims.journal.media_hosts(origin)
            ),
        )
