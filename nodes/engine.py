"""Puts the rooms together: from an account and its folders to a `JobRunner` that is ready to work."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .jobs.cancellation import Cancellation
from .jobs.claims import Claims
from .jobs.clock import SystemClock
from .jobs.download import files_of
from .jobs.download_link import fetch
from .jobs.errors import JobError
from .jobs.events import EventSink
from .jobs.executors import Executors
from .jobs.journal import Journal
from .jobs.poll_schedule import ENOUGH_HISTORY, PollSchedule, ScheduleFor
from .jobs.price import ListPrice
from .jobs.rate_limiter import RateLimiter
from .jobs.retry import Backoff
from .jobs.runner import JobRunner
from .jobs.services import Services, Video
from .modes import REHEARSAL
from .runcomfy.client import RunComfy
from .runcomfy.errors import RunComfyError
from .runcomfy.token import Token, find_token
from .runcomfy.transport import HttpTransport, api_origin, is_loopback
from .video.download import Download
from .video.errors import VideoError
from .video.url_policy import media_session

if TYPE_CHECKING:
    import requests

    from .runcomfy.request import GenerationRequest

FAILURES: Final = (RunComfyError, JobError, VideoError)
"""Everything by which one video may fail; all else is a defect, and never skipped."""
REHEARSAL_SECONDS: Final = 4.5


@dataclass(frozen=True)
class Folders:
    """Where things are kept."""

    videos: Path
    """Finished videos."""
    private: Path
    """Token, journal and lock files."""

    @property
    def token(self) -> Path:
        """The file of the token that was saved in Settings."""
        return self.private / "token"


def generator(mode: str, folders: Folders, environment: Mapping[str, str]) -> JobRunner:
    """What generates videos in a mode. Live, it raises `MissingToken` or `InvalidOrigin`."""
    return _rehearsal(folders) if mode == REHEARSAL else _live(folders, environment)


def journal(folders: Folders) -> Journal:
    """The record of the live jobs."""
    return _records(folders.private)[0]


async def fetch_job(
    request_id: str, folders: Folders, environment: Mapping[str, str], *, events: EventSink, stop: Callable[[], bool]
) -> Video:
    """The video of an earlier job. One that is on disk needs neither a token nor the service.

    Raises as `JobRunner.fetch` does, and `MissingToken` or `InvalidOrigin`.
    """
    if files := files_of(request_id, folders.videos):
        return Video(request_id, files, reused=True)
    return await _live(folders, environment).fetch(request_id, events=events, stop=stop)


async def fetch_link(link: str, folders: Folders, *, events: EventSink, stop: Callable[[], bool]) -> Video:
    """A video from a public https link. Raises `VideoError` or `Stopped`."""
    name = f"link-{hashlib.sha256(link.encode()).hexdigest()[:16]}.mp4"
    download = Download(folders.videos / name, _media(None))
    file = await fetch(link, download, executors(), Cancellation(SystemClock(), events, stop), Backoff())
    return Video("", (file,))


@cache
def executors() -> Executors:
    """This process' threads, shared by everything it does."""
    return Executors()


def _live(folders: Folders, environment: Mapping[str, str]) -> JobRunner:
    """For the user's RunComfy account."""
    token = find_token(environment, folders.token)
    origin = api_origin(environment)
    return JobRunner(_services(token, origin, _records(folders.private), folders, PollSchedule.learnt))


def _rehearsal(folders: Folders) -> JobRunner:
    """For the rehearsal service inside this process, with a journal that ends with it."""
    origin, token = _service()
    return JobRunner(_services(token, origin, _records(None), folders, _rehearsal_schedule))


def _services(
    token: Token, origin: str, records: tuple[Journal, Claims], folders: Folders, schedule: ScheduleFor
) -> Services:
    kept, claims = records
    line = _line(origin, token)
    # Links in replies may point back to a service on this machine, but only if the service itself is there.
    trusted = origin if is_loopback(urlsplit(origin).hostname or "") else None

    def open_download(target: Path) -> Download:
        return Download(target, _media(trusted), trusted_origin=trusted)

    return Services(
        client=line.client,
        account=f"{token.account} at {origin}",
        journal=kept,
        claims=claims,
        executors=executors(),
        rate_limiter=line.rate_limiter,
        clock=SystemClock(),
        folder=folders.videos,
        open_download=open_download,
        schedule=schedule,
        price=line.price,
    )


@dataclass(frozen=True)
class _Line:
    """What all runs of an account share, so that hundreds of them need a handful of connections."""

    client: RunComfy
    rate_limiter: RateLimiter
    price: ListPrice


@lru_cache(maxsize=4)
def _line(origin: str, token: Token) -> _Line:
    client = RunComfy(HttpTransport(origin, token), token.source)
    return _Line(client, RateLimiter(SystemClock(), Backoff()), ListPrice(client, executors(), SystemClock()))


@cache
def _media(trusted: str | None) -> requests.Session:
    """The connections to where videos are."""
    return media_session(trusted)


def _rehearsal_schedule(request: GenerationRequest, history: list[float]) -> PollSchedule:
    """The rehearsal takes the same short time whatever is asked for."""
    return PollSchedule.learnt(request, history) if len(history) >= ENOUGH_HISTORY else PollSchedule(REHEARSAL_SECONDS)


@cache
def _records(private: Path | None) -> tuple[Journal, Claims]:
    """One journal a folder and process, since claims are taken in a process' name."""
    kept = Journal(private / "jobs.sqlite3" if private else None)
    return kept, Claims(kept, private / "owners" if private else None)


@cache
def _service() -> tuple[str, Token]:
    """The origin of this process' rehearsal service, and a token that only it takes."""
    from .rehearsal import RehearsalService

    secret = secrets.token_hex()
    service = RehearsalService(tokens=(secret,), price_usd=None)
    service.start()
    return service.origin, Token(secret, "the rehearsal")
