"""What RunComfy's answers mean: from bytes to typed values, or to the right error.

Every reader raises the error that the answer stands for; `InvalidResponse` where it is none that is documented.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from .errors import InvalidResponse, Subject
from .parsing import count_in, links_in, number_in, text_in
from .refusals import ABOUT_THE_CALL, json_in, json_object, raise_for_code, raise_for_status
from .request import is_request_id
from .transport import ApiResponse

MOST_VIDEOS: Final = 16
"""Of one job; the service documents one, and each may have hundreds of megabytes."""


class JobState(Enum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"
    """Over, but only the result tells how: the status call says `completed` for failures too."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """A word that is not documented; taken for running."""


class CancelOutcome(Enum):
    """What a cancel call achieved."""

    CANCELLED = "cancelled"
    NOT_CANCELLABLE = "not_cancellable"


@dataclass(frozen=True)
class JobStatus:
    """The answer of the status call."""

    state: JobState
    raw_status: str
    """The state as the service spelt it."""
    queue_position: int | None = None
    """Jobs in front, while queued and where the service tells."""


@dataclass(frozen=True)
class JobResult:
    """The answer of the result call."""

    state: JobState
    raw_status: str
    """The state as the service spelt it."""
    videos: tuple[str, ...] = ()
    """URLs, in the service's order; they expire."""
    reason: str = ""
    """Why it failed, in the service's words."""
    cost: float | None = None
    """US dollars, where the service tells."""


@dataclass(frozen=True)
class ModelInfo:
    """The answer of the model call; each part only where the service tells."""

    base_price_usd: float | None = None
    price_unit: str = ""


_STATUS_WORDS: Final = {
    "in_queue": JobState.QUEUED,
    **dict.fromkeys(("in_progress", "pending", "waiting", "starting", "processing"), JobState.RUNNING),
    **dict.fromkeys(("completed", "succeeded", "failed", "error"), JobState.ENDED),
    **dict.fromkeys(("cancelled", "canceled"), JobState.CANCELLED),
}
_RESULT_WORDS: Final = _STATUS_WORDS | {
    **dict.fromkeys(("completed", "succeeded"), JobState.SUCCEEDED),
    **dict.fromkeys(("failed", "error"), JobState.FAILED),
}
_OUTCOMES: Final = {
    "cancelled": CancelOutcome.CANCELLED,
    "canceled": CancelOutcome.CANCELLED,
    "not_cancellable": CancelOutcome.NOT_CANCELLABLE,
}


def read_submission(response: ApiResponse, subject: Subject) -> str:
    """The request id of an accepted job. One that can be used counts, whatever else the answer says."""
    raise_for_status(response, subject)
    found = json_in(response)
    request_id = found.get("request_id") if isinstance(found, dict) else None
    if isinstance(request_id, str) and is_request_id(request_id):
        return request_id
    raise_for_code(json_object(response, subject), response, subject)
    shown = f" ({text_in(request_id)})" if isinstance(request_id, str) and request_id else ""
    raise InvalidResponse(f"it holds no usable request_id{shown}", subject)


def read_status(response: ApiResponse, subject: Subject) -> JobStatus:
    """The state of a job."""
    found = _about_job(response, subject)
    raw_status = _raw_status(found, response, subject)
    return JobStatus(_STATUS_WORDS.get(raw_status, JobState.UNKNOWN), raw_status, count_in(found.get("queue_position")))


def read_result(response: ApiResponse, subject: Subject) -> JobResult:
    """The outcome of a job."""
    found = _about_job(response, subject)
    raw_status = _raw_status(found, response, subject)
    state = _RESULT_WORDS.get(raw_status, JobState.UNKNOWN)
    videos = tuple(dict.fromkeys(links_in(found.get("output"))))[:MOST_VIDEOS]
    reason = text_in(found.get("error")) or text_in(found.get("error_message"))
    if raw_status == "completed" and reason and not videos:
        state = JobState.FAILED
    return JobResult(state, raw_status, videos, reason, number_in(found.get("cost")))


def read_cancel(response: ApiResponse, subject: Subject) -> CancelOutcome:
    """What the cancel call did. Only `outcome` tells: beside it, `status` has been seen to say something else."""
    found = _about_job(response, subject)
    outcome = found.get("outcome")
    if isinstance(outcome, str) and outcome in _OUTCOMES:
        return _OUTCOMES[outcome]
    raise_for_code(found, response, subject)
    raise InvalidResponse("it does not say whether the job was cancelled", subject)


def read_model(response: ApiResponse, subject: Subject) -> ModelInfo:
    """The model's price, as far as it is told."""
    raise_for_status(response, subject)
    found = json_object(response, subject)
    raise_for_code(found, response, subject)
    return ModelInfo(number_in(found.get("base_price_usd")), text_in(found.get("price_unit")))


def _about_job(response: ApiResponse, subject: Subject) -> dict[str, object]:
    """The body of a success that is about the job that was asked for."""
    raise_for_status(response, subject)
    found = json_object(response, subject)
    if count_in(found.get("error_code")) in ABOUT_THE_CALL:
        raise_for_code(found, response, subject)
    named = found.get("request_id")
    if isinstance(named, str) and named != subject.request_id:
        raise InvalidResponse("it is about another job than the one that was asked for", subject)
    return found


def _raw_status(found: dict[str, object], response: ApiResponse, subject: Subject) -> str:
    raw_status = found.get("status")
    shown = text_in(raw_status)[:60].lower() if isinstance(raw_status, str) else ""
    # With a code, the undocumented word `error` is as likely about the call as about the job.
    if shown and not (shown == "error" and found.get("error_code")):
        return shown
    raise_for_code(found, response, subject)
    raise InvalidResponse("it names no status", subject)
