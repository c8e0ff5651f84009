"""Every way in which a job can end without a video, beside the errors of the service and of the file.

JobError               itself by its key alone, where nothing was submitted and no code tells it from others
├── JobFailed          the service says so, with its reason
├── JobCancelled       somebody else cancelled it
├── NoVideo            it succeeded, but the answer holds no video
├── DeadlinePassed     it takes longer than the user wants to wait; it goes on
├── OutcomeUnknown     the submit call ended unclearly
├── VideoUnavailable   the job succeeded; its video could not be fetched
├── VideoUnusable      it was fetched; it could not be decoded
├── JobExpired         the service no longer has it, or its video
├── BudgetReached      what may be spent in 24 hours is
└── JournalUnusable    no record can be kept, so nothing is submitted
    ├── CommitUnknown  the connection was lost as a change was committed, which may be written or not
    └── ChangeRefused  a change can never be written

Stopped                the user pressed Stop: not a failure
NoFreePlace            the account has as many jobs at the service as it may: not a failure, either
"""

from __future__ import annotations

from typing import ClassVar, Final

from ..errors import Charge, SeedanceError
from ..texts import Text
from .clock import clock_time, minute
from .events import Event
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
    """A job that brought no video. ``key`` replaces the class's own."""

    key: ClassVar[str] = ""
    means: ClassVar[Charge] = Charge.NOTHING
    """For the user's money."""

    def __init__(self, request_id: str = "", key: str = "", advice: str = "", **values: str) -> None:
        super().__init__(key or self.key, advice, charge=self.means, request_id=request_id or None, **values)


class JobFailed(JobError):
    means = Charge.SEE_USAGE

    def __init__(self, request_id: str, reason: str) -> None:
        refused = any(word in reason.lower() for word in _OF_MODERATION)
        key = "promptRefused" if refused else "jobFailed" if reason else "jobFailedWithoutReason"
        super().__init__(request_id, key, reason=reason.rstrip("."))


class JobCancelled(JobError):
    key = "jobCancelled"


class NoVideo(JobError):
    key, means = "noVideo", Charge.CHARGED


class DeadlinePassed(JobError):
    key, means = "deadlinePassed", Charge.ACCEPTED


class OutcomeUnknown(JobError):
    key, means = "outcomeUnknown", Charge.UNKNOWN


class VideoUnavailable(JobError):
    """``first`` is what to do before the graph is run again, in whole sentences."""

    means = Charge.SUCCEEDED

    def __init__(self, request_id: str, problem: str, first: str = "") -> None:
        advice = Text("errors.videoUnavailable.adviceAfter", first=first) if first else ""
        super().__init__(request_id, "videoUnavailable", advice, problem=problem)


class VideoUnusable(JobError):
    """The video was just paid for and is on disk; the reason has an advice of its own."""

    means = Charge.CHARGED

    def __init__(self, request_id: str, reason: SeedanceError) -> None:
        super().__init__(request_id, "videoUnusable", reason.advice, problem=reason.message)


class JobExpired(JobError):
    key, means = "jobExpired", Charge.EARLIER


class BudgetReached(JobError):
    """``frees_at`` is when enough is free again, in seconds since the epoch; None if waiting does not help."""

    def __init__(self, key: str, frees_at: float | None, **values: str) -> None:
        or_wait = f"errors.{key}.adviceOrWait"
        advice = "" if frees_at is None else Text(or_wait, time=minute(frees_at), **values)
        super().__init__(key=key, advice=advice, **values)


class JournalUnusable(JobError):
    """Without a record a crash could cost the user a second payment. ``reason`` is in the words of the database or the
    system, or one of this pack's own; ``cure`` replaces the usual one for it."""

    def __init__(self, file: str, reason: str, cure: str = "") -> None:
        usual = (name for name, words in _CURES.items() if any(word in reason.lower() for word in words))
        cure = cure or Text(f"errors.journalUnusable.cures.{next(usual, 'usual')}")
        super().__init__(key="journalUnusable", file=file, reason=reason, cure=cure)


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


def error_of(record: JobRecord, *, is_read: bool = True) -> JobError:
    """What to raise about a job that ended badly or unclearly. If it ``is_read`` by somebody, the request may be
    submitted anew after that."""
    if record.state is State.FAILED:
        return JobFailed(record.request_id, record.reason)
    if record.state in (State.CANCELLED, State.EXPIRED):
        return (JobCancelled if record.state is State.CANCELLED else JobExpired)(record.request_id)
    # It goes to a log and to a terminal, too.
    text = record.request.text[:60] if record.request else ""
    begin = "".join(mark if mark.isprintable() else " " for mark in text)
    advice = Text(f"errors.outcomeUnknown.{'advice' if is_read else 'adviceIfSkipped'}", begin=begin)
    reason = f" {record.reason}" if record.reason else ""
    return OutcomeUnknown(advice=advice, when=clock_time(record.created), reason=reason)
