"""What RunComfy's answers mean: from bytes to typed values, or to the right error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .errors import (
    AuthenticationError,
    InsufficientFunds,
    InvalidIdentifier,
    InvalidResponse,
    NotFound,
    PermissionDenied,
    RateLimited,
    RejectedError,
    RunComfyError,
    ServerError,
    ValidationError,
)
from .parsing import count_in, links_in, number_in, text_in
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
    "in_progress": JobState.RUNNING,
    "completed": JobState.ENDED,
    "succeeded": JobState.ENDED,
    "failed": JobState.ENDED,
    "error": JobState.ENDED,
    "cancelled": JobState.CANCELLED,
    "canceled": JobState.CANCELLED,
}
_RESULT_WORDS: Final = _STATUS_WORDS | {
    "completed": JobState.SUCCEEDED,
    "succeeded": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
    "error": JobState.FAILED,
}


def read_submission(response: ApiResponse) -> str:
    """The request id of an accepted job.

    Raises:
        InvalidResponse: accepted or not, its id is not known.
    """
    found = _object(response).get("request_id")
    if isinstance(found, str) and is_request_id(found):
        return found
    shown = f" ({text_in(found)})" if isinstance(found, str) and found else ""
    raise InvalidResponse(f"it holds no usable request_id{shown}")


def read_status(response: ApiResponse) -> JobStatus:
    """The state of a job. Raises `InvalidResponse` where the answer names none."""
    found = _object(response)
    raw_status = _raw_status(found)
    return JobStatus(_STATUS_WORDS.get(raw_status, JobState.UNKNOWN), raw_status, count_in(found.get("queue_position")))


def read_result(response: ApiResponse) -> JobResult:
    """The outcome of a job. Raises `InvalidResponse` where the answer names none."""
    found = _object(response)
    raw_status = _raw_status(found)
    state = _RESULT_WORDS.get(raw_status, JobState.UNKNOWN)
    videos = tuple(dict.fromkeys(links_in(found.get("output"))))[:MOST_VIDEOS]
    reason = text_in(found.get("error"))
    if raw_status == "completed" and reason and not videos:
        state = JobState.FAILED
    return JobResult(state, raw_status, videos, reason, number_in(found.get("cost")))


def read_cancel(response: ApiResponse) -> CancelOutcome:
    """What the cancel call did. Raises `InvalidResponse` where the answer does not say."""
    raw_status = _object(response).get("outcome")
    if raw_status in ("cancelled", "canceled"):
        return CancelOutcome.CANCELLED
    if raw_status == "not_cancellable":
        return CancelOutcome.NOT_CANCELLABLE
    raise InvalidResponse("it does not say whether the job was cancelled")


def read_model(response: ApiResponse) -> ModelInfo:
    """The model's price, as far as it is told."""
    found = _object(response)
    return ModelInfo(number_in(found.get("base_price_usd")), text_in(found.get("price_unit")))


def error_from(response: ApiResponse, subject: str, token_source: str) -> RunComfyError | None:
    """The error that an answer stands for; None for a success.

    Args:
        subject: the model or request id that was asked for.
        token_source: where the token came from, for the message.
    """
    if 200 <= response.status < 300:
        return None
    code, message = _error_body(response)
    # In seconds: the header's other form, a date, is passed over.
    retry_after = number_in(response.headers.get("retry-after"))
    if response.status == 429:
        return RateLimited(retry_after)
    if response.status == 408 or response.status >= 500:
        return ServerError(response.status, message, retry_after)
    if response.status < 400:
        return InvalidResponse(f"HTTP {response.status} where a plain answer is documented")
    if response.status == 402 or code == 400002:
        return InsufficientFunds(message)
    if response.status == 401 or code == 400004:
        return AuthenticationError(token_source, message)
    if response.status == 403:
        return PermissionDenied(token_source, message)
    if response.status == 404:
        return NotFound(message, definite=code == 404001)
    if code == 400001:
        return InvalidIdentifier(subject, message)
    if response.status in (400, 422):
        return ValidationError(message)
    return RejectedError(f"RunComfy refused the call with HTTP {response.status}.", message or "Run again later.")


def _json(response: ApiResponse) -> object:
    try:
        # As UTF-8: from bytes, json would guess, and the token is found in none of the other encodings.
        return json.loads(response.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _object(response: ApiResponse) -> dict[str, object]:
    found = _json(response)
    if isinstance(found, dict):
        return found
    raise InvalidResponse("it is not a JSON object")


def _raw_status(found: dict[str, object]) -> str:
    raw_status = found.get("status")
    if isinstance(raw_status, str) and (shown := text_in(raw_status)):
        return shown[:60].lower()
    raise InvalidResponse("it names no status")


def _error_body(response: ApiResponse) -> tuple[int | None, str]:
    """The numeric code and the message of an error body, under any of the names that are in use."""
    found = _json(response)
    if not isinstance(found, dict):
        return None, ""
    nested = found.get("error")
    if isinstance(nested, dict):
        found = nested | found
    code = next((count_in(found[key]) for key in ("error_code", "code") if key in found), None)
    message = next((text for key in ("message", "detail", "error") if (text := text_in(found.get(key)))), "")
    return code, message
