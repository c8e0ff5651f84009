"""What RunComfy's answers mean: from bytes to typed values, or to the right error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .errors import (
    AccountError,
    InputRejected,
    InsufficientFunds,
    InvalidIdentifier,
    NotFound,
    PermissionDenied,
    RateLimited,
    Refusal,
    RunComfyError,
    ServiceTrouble,
    UnreadableReply,
)
from .parsing import count_in, links_in, number_in, text_in
from .request import is_request_id
from .transport import Reply

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
    word: str
    """The state as the service spelt it."""
    queue_position: int | None = None
    """Jobs in front, while queued and where the service tells."""


@dataclass(frozen=True)
class JobResult:
    """The answer of the result call."""

    state: JobState
    word: str
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


def read_submission(reply: Reply) -> str:
    """The request id of an accepted job.

    Raises:
        UnreadableReply: accepted or not, its id is not known.
    """
    found = _object(reply).get("request_id")
    if isinstance(found, str) and is_request_id(found):
        return found
    shown = f" ({text_in(found)})" if isinstance(found, str) and found else ""
    raise UnreadableReply(f"it holds no usable request_id{shown}")


def read_status(reply: Reply) -> JobStatus:
    """The state of a job. Raises `UnreadableReply` where the answer names none."""
    found = _object(reply)
    word = _word(found)
    return JobStatus(_STATUS_WORDS.get(word, JobState.UNKNOWN), word, count_in(found.get("queue_position")))


def read_result(reply: Reply) -> JobResult:
    """The outcome of a job. Raises `UnreadableReply` where the answer names none."""
    found = _object(reply)
    word = _word(found)
    state = _RESULT_WORDS.get(word, JobState.UNKNOWN)
    videos = tuple(dict.fromkeys(links_in(found.get("output"))))[:MOST_VIDEOS]
    reason = text_in(found.get("error"))
    if word == "completed" and reason and not videos:
        state = JobState.FAILED
    return JobResult(state, word, videos, reason, number_in(found.get("cost")))


def read_cancel(reply: Reply) -> CancelOutcome:
    """What the cancel call did. Raises `UnreadableReply` where the answer does not say."""
    word = _object(reply).get("outcome")
    if word in ("cancelled", "canceled"):
        return CancelOutcome.CANCELLED
    if word == "not_cancellable":
        return CancelOutcome.NOT_CANCELLABLE
    raise UnreadableReply("it does not say whether the job was cancelled")


def read_model(reply: Reply) -> ModelInfo:
    """The model's price, as far as it is told."""
    found = _object(reply)
    return ModelInfo(number_in(found.get("base_price_usd")), text_in(found.get("price_unit")))


def error_of(reply: Reply, subject: str, token_source: str) -> RunComfyError | None:
    """The error that an answer stands for; None for a success.

    Args:
        subject: the model or request id that was asked for.
        token_source: where the token came from, for the message.
    """
    if 200 <= reply.status < 300:
        return None
    code, message = _refusal(reply)
    # In seconds: the header's other form, a date, is passed over.
    retry_after = number_in(reply.headers.get("retry-after"))
    if reply.status == 429:
        return RateLimited(retry_after)
    if reply.status == 408 or reply.status >= 500:
        return ServiceTrouble(reply.status, message, retry_after)
    if reply.status < 400:
        return UnreadableReply(f"HTTP {reply.status} where a plain answer is documented")
    if reply.status == 402 or code == 400002:
        return InsufficientFunds(message)
    if reply.status == 401 or code == 400004:
        return AccountError(token_source, message)
    if reply.status == 403:
        return PermissionDenied(token_source, message)
    if reply.status == 404:
        return NotFound(message, definite=code == 404001)
    if code == 400001:
        return InvalidIdentifier(subject, message)
    if reply.status in (400, 422):
        return InputRejected(message)
    return Refusal(f"RunComfy refused the call with HTTP {reply.status}.", message or "Run again later.")


def _json(reply: Reply) -> object:
    try:
        # As UTF-8: from bytes, json would guess, and the token is found in none of the other encodings.
        return json.loads(reply.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _object(reply: Reply) -> dict[str, object]:
    found = _json(reply)
    if isinstance(found, dict):
        return found
    raise UnreadableReply("it is not a JSON object")


def _word(found: dict[str, object]) -> str:
    word = found.get("status")
    if isinstance(word, str) and (shown := text_in(word)):
        return shown[:60].lower()
    raise UnreadableReply("it names no status")


def _refusal(reply: Reply) -> tuple[int | None, str]:
    """The numeric code and the message of an error body, under any of the names that are in use."""
    found = _json(reply)
    if not isinstance(found, dict):
        return None, ""
    nested = found.get("error")
    if isinstance(nested, dict):
        found = nested | found
    code = next((count_in(found[key]) for key in ("error_code", "code") if key in found), None)
    message = next((text for key in ("message", "detail", "error") if (text := text_in(found.get(key)))), "")
    return code, message
