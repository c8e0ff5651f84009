"""Every way in which a job can end without a video, beside the errors of the service and of the file.

JobError
├── JobFailed          the service says so, with its reason
├── JobCancelled       somebody else cancelled it
├── NoVideo            it succeeded, but the answer holds no video
├── DeadlinePassed     it takes longer than the user wants to wait; it goes on
├── OutcomeUnknown     the submit call ended unclearly
├── VideoUnavailable   the job succeeded; its video could not be fetched
├── VideoUnreadable    the video was saved; it cannot be read just now
├── JobExpired         the service no longer has it
├── NotUnclear         a user wants to settle what is settled
├── OtherJobsId        a user names the id of another job
├── OtherService       a user names the id of a job of another service
├── CannotReceive      what would keep the video from arriving, found before anything was submitted
├── InvalidSetting     a variable of the environment, found before anything was submitted
├── BudgetReached      what may be spent in 24 hours is
├── InvalidBudget      what may be spent cannot be known
└── JournalUnusable    no record can be kept, so nothing is submitted
    ├── CommitUnknown  a change may be written or not
    └── ChangeRefused  a change can never be written

Stopped                the user pressed Stop: not a failure
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..errors import Charge, SeedanceError
from ..texts import Text
from .clock import clock_time, minute
from .events import StopOutcome
from .records import JobRecord, State

_OF_MODERATION: Final = ("moderation", "sensitive", "policy", "nsfw", "unsafe", "content check", "copyright", "violat")
"""One of these is in the reason where the content check refused a prompt: no code is documented that would tell."""


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
    """A job that brought no video."""


class JobFailed(JobError):
    """The service ended the job without a video."""

    def __init__(self, reason: str, request_id: str) -> None:
        advice = "Run again to try once more, which is a new job."
        if any(word in reason.lower() for word in _OF_MODERATION):
            message = f'The content check refused this prompt: "{reason.rstrip(".")}".'
            advice = "Rephrase the text and run again."
        elif reason:
            message = f'RunComfy could not generate the video: "{reason.rstrip(".")}".'
        else:
            message = "RunComfy could not generate the video and gave no reason."
        super().__init__(message, advice, charge=Charge.SEE_USAGE, request_id=request_id)


class JobCancelled(JobError):
    """The job was cancelled elsewhere."""

    def __init__(self, request_id: str) -> None:
        message = "The job was cancelled while it waited in the queue."
        super().__init__(message, "Run again to submit it anew.", charge=Charge.NOTHING, request_id=request_id)


class NoVideo(JobError):
    """A success without a link."""

    def __init__(self, request_id: str) -> None:
        message = "RunComfy reports success, but its answer holds no video."
        again = "Run again in a minute to ask for it again, without a new charge"
        advice = f"{again}; if it stays so, give RunComfy's support the request id."
        super().__init__(message, advice, charge=Charge.CHARGED, request_id=request_id)


class DeadlinePassed(JobError):
    """The wait is over, the job is not."""

    def __init__(self, seconds: float, last: str, request_id: str) -> None:
        message = f"The video was not ready after {seconds / 60:.0f} minutes ({last})."
        advice = "Run the same graph again to go on waiting for this job, without a new charge."
        super().__init__(message, advice, charge=Charge.ACCEPTED, request_id=request_id)


class OutcomeUnknown(JobError):
    """Nobody here can know whether the service took the job."""

    def __init__(self, when: str, text: str, reason: str, *, is_read: bool = True) -> None:
        # It goes to a log and to a terminal, too.
        begin = "".join(mark if mark.isprintable() else " " for mark in text[:60])
        super().__init__(
            f"The submission at {when} ended without a clear answer, so RunComfy may or may not have taken the job."
            + (f" {reason}" if reason else ""),
            f'Look on RunComfy\'s Generations page for a job of that time that begins "{begin}". If it is there, '
            "paste its request id into source of Load Seedance Video. If not, "
            + ("" if is_read else "set on_failure to stop, so that this message is sure to be read, and ")
            + "run the same graph again: it will submit anew.",
            charge=Charge.UNKNOWN,
        )


class VideoUnavailable(JobError):
    """The video exists, but did not get here.

    Args:
        first: what to do before the graph is run again, in whole sentences.
    """

    def __init__(self, message: str, request_id: str, first: str = "") -> None:
        super().__init__(
            message,
            f"{first} Run the same graph again to fetch its video, without a new charge.".lstrip(),
            charge=Charge.SUCCEEDED,
            request_id=request_id,
        )


class VideoUnreadable(JobError):
    """The video is on disk, as far as is known, but the disk cannot be read."""

    def __init__(self, file: Path, request_id: str) -> None:
        message = f"This video was saved before, but its file cannot be read just now: {file}."
        advice = "Bring the drive or folder back, or wait until no other program holds the file, and run again."
        super().__init__(message, advice, charge=Charge.NOTHING, request_id=request_id)


class JobExpired(JobError):
    """The service has deleted the job, or never had it."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "RunComfy no longer has this job (404), and its video is not on this machine.",
            "Check the id, and whether the drive that the video was saved to is there. To have the video all the same, "
            "run the graph that made it: that generates it anew, which is charged.",
            charge=Charge.EARLIER,
            request_id=request_id,
        )


class CannotReceive(JobError):
    """Something on this machine would keep the video from arriving."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message, advice, charge=Charge.NOTHING)


class InvalidSetting(JobError):
    """A variable of the environment holds something else than it should."""

    def __init__(self, name: str, expected: str) -> None:
        advice = "Correct it in the environment and restart ComfyUI."
        super().__init__(f"{name} has to be {expected}.", advice, charge=Charge.NOTHING)


class NotUnclear(JobError):
    """Nothing is left to be settled about a job."""

    def __init__(self) -> None:
        super().__init__("notUnclear", charge=Charge.NOTHING)


class OtherJobsId(JobError):
    """The id of another job."""

    def __init__(self, request_id: str) -> None:
        super().__init__("otherJobsId", charge=Charge.NOTHING, id=request_id)


class OtherService(JobError):
    """The job was submitted to another service than the one that would be asked."""

    def __init__(self, origin: str) -> None:
        super().__init__("otherService", charge=Charge.NOTHING, origin=origin)


class BudgetReached(JobError):
    """What may be spent in 24 hours is.

    Args:
        frees_at: when it will have been long enough ago, in seconds since the epoch; None: waiting does not help.
    """

    def __init__(self, key: str, frees_at: float | None, **values: str) -> None:
        wait = "" if frees_at is None else Text("errors.orWait", time=minute(frees_at))
        super().__init__(key, charge=Charge.NOTHING, wait=wait, **values)


class InvalidBudget(JobError):
    """What may be spent cannot be known, so nothing is."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(key, charge=Charge.NOTHING, **values)


class JournalUnusable(JobError):
    """Without a record a crash could cost the user a second payment.

    Args:
        reason: in the words of the database or the system, or one of this pack's own.
        cure: in place of the one that is known for the reason.
    """

    def __init__(self, file: str, reason: str, cure: str = "") -> None:
        usual = (name for name, words in _CURES.items() if any(word in reason.lower() for word in words))
        cure = cure or Text(f"errors.journalUnusable.cures.{next(usual, 'usual')}")
        super().__init__("journalUnusable", charge=Charge.NOTHING, file=file, reason=reason, cure=cure)


class ChangeRefused(JournalUnusable):
    """The database cannot hold what is to be written to it, now or later."""


class CommitUnknown(JournalUnusable):
    """The connection to the database was lost as a change was committed, which may be written or not."""


class Stopped(Exception):
    """The user pressed Stop. ``str()`` says what has become of the job."""

    def __init__(self, message: str, outcome: StopOutcome) -> None:
        super().__init__(message)
        self.outcome = outcome


def error_of(record: JobRecord, *, is_read: bool = True) -> JobError:
    """What to raise about a job that ended badly or unclearly.

    Args:
        is_read: whether it reaches somebody, so that the request may be submitted anew after that.
    """
    if record.state is State.FAILED:
        return JobFailed(record.reason, record.request_id)
    if record.state in (State.CANCELLED, State.EXPIRED):
        return (JobCancelled if record.state is State.CANCELLED else JobExpired)(record.request_id)
    text = record.request.text if record.request else ""
    return OutcomeUnknown(clock_time(record.created), text, record.reason, is_read=is_read)
