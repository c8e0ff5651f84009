"""Every way in which a job can end without a video, beside the errors of the service and of the file.

JobError               itself by its key alone, where no code tells it from others
├── JobFailed          the service says so, with its reason
├── OutcomeUnknown     the submit call ended unclearly
├── VideoUnavailable   the job succeeded; its video could not be fetched
├── JobExpired         the service no longer has it, or its video
├── BudgetReached      what may be spent in 24 hours is
└── JournalUnusable    no record can be kept, so nothing is submitted
    ├── CommitUnknown  the connection was lost as a change was committed, which may be written or not
    └── ChangeRefused  a change can never be written

Stopped                the user pressed Stop: not a failure
NoFreePlace            the account has as many jobs at the service as it may: not a failure, either
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ..errors import Charge, SeedanceError
from ..texts import Text
from .events import Event, clock_minute, clock_time
from .records import JobRecord, State

_OF_MODERATION: Final = ("moderation", "sensitive", "policy", "nsfw", "unsafe", "content check", "copyright", "violat")
"""Words in the reason when the content check refused a prompt: there is no documented code for it."""

_CURES: Final = {
    "full": ("full", "no space", "quota"),
    "readOnly": ("read-only", "readonly", "denied", "not permitted", "unable to open"),
    "busy": ("locked", "for too long", "i/o error", "input/output error"),
    "damaged": ("not a database", "malformed"),
    "gone": ("moved away",),
    "newer": ("newer version",),
    "older": ("older version",),
}
"""What helps, by the words of SQLite and of systems for what is wrong; the words of Windows are in its language."""


class JobError(SeedanceError):
    """A job that brought no video; nothing was charged where no other ``charge`` is said. ``request_id`` is a value."""

    def __init__(self, key: str, advice: str = "", *, charge: Charge = Charge.NOTHING, **values: str) -> None:
        super().__init__(key, advice, charge=charge, **values)


class JobFailed(JobError):
    def __init__(self, request_id: str, reason: str) -> None:
        refused = any(word in reason.lower() for word in _OF_MODERATION)
        key = "promptRefused" if refused else "jobFailed" if reason else "jobFailedWithoutReason"
        super().__init__(key, charge=Charge.SEE_USAGE, request_id=request_id, reason=reason.rstrip("."))


class OutcomeUnknown(JobError):
    pass


class VideoUnavailable(JobError):
    """``first`` is what to do before the graph is run again, in whole sentences."""

    def __init__(self, request_id: str, problem: str, first: str = "") -> None:
        advice = Text("errors.videoUnavailable.adviceAfter", first=first) if first else ""
        super().__init__("videoUnavailable", advice, charge=Charge.SUCCEEDED, request_id=request_id, problem=problem)


class JobExpired(JobError):
    def __init__(self, request_id: str) -> None:
        super().__init__("jobExpired", charge=Charge.EARLIER, request_id=request_id)


class BudgetReached(JobError):
    """``frees_at`` is when enough is free again, in seconds since the epoch; None if waiting does not help."""

    def __init__(self, key: str, frees_at: float | None, **values: str) -> None:
        or_wait = f"errors.{key}.adviceOrWait"
        advice = "" if frees_at is None else Text(or_wait, time=clock_minute(frees_at), **values)
        super().__init__(key, advice, charge=Charge.NOTHING, **values)


class JournalUnusable(JobError):
    """Without a record a crash could cost the user a second payment. ``reason`` is in the words of the database or the
    system, or one of this pack's own; ``cure`` replaces the usual one for it."""

    def __init__(self, file: str, reason: str, cure: str = "") -> None:
        usual = (name for name, words in _CURES.items() if any(word in reason.lower() for word in words))
        cure = cure or Text(f"errors.journalUnusable.cures.{next(usual, 'usual')}")
        super().__init__("journalUnusable", file=file, reason=reason, cure=cure)


class ChangeRefused(JournalUnusable):
    pass


class CommitUnknown(JournalUnusable):
    pass


class Stopped(Exception):
    """The user pressed Stop. ``str()`` says what has become of the job."""

    def __init__(self, report: Event) -> None:
        super().__init__(str(report))
        self.report = report


class NoFreePlace(Exception):
    """``place`` is the run's among those that wait, from 1."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def error_of(record: JobRecord, *, is_read: bool) -> JobError:
    """What to raise about a job that ended badly or unclearly. If it ``is_read`` by somebody, the request may be
    submitted anew after that."""
    if record.state is State.FAILED:
        return JobFailed(record.request_id, record.reason)
    if record.state is State.CANCELLED:
        return JobError("jobCancelled", request_id=record.request_id)
    if record.state is State.EXPIRED:
        return JobExpired(record.request_id)
    # It goes to a log and to a terminal, too.
    text = record.request.text[:60] if record.request else ""
    begin = "".join(mark if mark.isprintable() else " " for mark in text)
    advice = Text(f"errors.outcomeUnknown.{'advice' if is_read else 'adviceIfSkipped'}", begin=begin)
    values = {"when": clock_time(record.created), "reason": f" {record.reason}" if record.reason else ""}
    return OutcomeUnknown("outcomeUnknown", advice, charge=Charge.UNKNOWN, **values)


class Reports:
    """Which failed and unclear ends of jobs this server has reported, and which prompts were queued by then. A restart
    forgets both, and the queue. May be used from any thread.

    ``queued_prompts`` gives the ids of those that are running or waiting.
    """

    def __init__(self, server: str, queued_prompts: Callable[[], frozenset[str]] = frozenset) -> None:
        self.server = server
        """The same after a restart: by it the journal knows who has reported an unknown outcome."""
        self._queued_prompts = queued_prompts
        self._queued_then: dict[str, frozenset[str] | None] = {}
        """By the record's uid, the prompts that were queued when its end was first raised; None: nobody has read it."""

    def add(self, record: JobRecord, prompt_id: str = "") -> None:
        """Note that the end of a job is raised to a user now, by a prompt or else by a page."""
        # What counts is when it was raised first, unless that reached nobody.
        self._queued_then[record.uid] = self._queued_then.get(record.uid) or self._queued_prompts() | {prompt_id}

    def note_unread(self, record: JobRecord) -> None:
        """Note that nobody has read what was reported about a job."""
        self._queued_then[record.uid] = None

    def unread(self, records: Iterable[JobRecord], prompt_id: str, just_ended: frozenset[int]) -> frozenset[int]:
        """The ids of failed and unclear records whose end nobody can have read when a prompt was queued. Jobs in
        ``just_ended`` ended after that, if at all: this run waited for them, or another is about to report them."""

        def is_unread(record: JobRecord) -> bool:
            queued = self._queued_then.get(record.uid, frozenset())
            by_another = record.state is State.UNKNOWN_REPORTED and record.reported_by != self.server
            return record.id in just_ended or by_another or queued is None or prompt_id in queued

        bad = (State.UNKNOWN_REPORTED, State.FAILED, State.EXPIRED)
        return frozenset(record.id for record in records if record.state in bad and is_unread(record))
