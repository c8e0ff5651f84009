"""What RunComfy's answers mean: from bytes to typed values, or to the right error."""

from __future__ import annotations

import json
import math
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
from .request import is_request_id
from .transport import Reply

_DEPTH: Final = 8
"""Levels of lists and objects that are looked into; the documented answers have three."""


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
    pricing_note: str = ""


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
    shown = f" ({_text(found)})" if isinstance(found, str) and found else ""
    raise UnreadableReply(f"it holds no usable request_id{shown}")


def read_status(reply: Reply) -> JobStatus:
    """The state of a job. Raises `UnreadableReply` where the answer names none."""
    found = _object(reply)
    word = _word(found)
    return JobStatus(_STATUS_WORDS.get(word, JobState.UNKNOWN), word, _count(found.get("queue_position")))


def read_result(reply: Reply) -> JobResult:
    """The outcome of a job. Raises `UnreadableReply` where the answer names none."""
    found = _object(reply)
    word = _word(found)
    state = _RESULT_WORDS.get(word, JobState.UNKNOWN)
    videos = tuple(dict.fromkeys(_links(found.get("output"))))
    reason = _text(found.get("error"))
    if word == "completed" and reason and not videos:
        state = JobState.FAILED
    return JobResult(state, word, videos, reason, _number(found.get("cost")))


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
    return ModelInfo(
        _number(found.get("base_price_usd")), _text(found.get("price_unit")), _text(found.get("pricing_note"))
    )


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
    retry_after = _number(reply.headers.get("retry-after"))
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
        return NotFound(message)
    if code == 400001:
        return InvalidIdentifier(subject, message)
    if reply.status in (400, 422):
        return InputRejected(message)
    return Refusal(f"RunComfy refused the call with HTTP {reply.status}.", message or "Run again later.")


def _json(reply: Reply) -> object:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def _object(reply: Reply) -> dict[str, object]:
    found = _json(reply)
    if isinstance(found, dict):
        return found
    raise UnreadableReply("it is not a JSON object")


def _word(found: dict[str, object]) -> str:
    word = found.get("status")
    if isinstance(word, str) and (shown := _text(word)):
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
    code = next((_count(found[key]) for key in ("error_code", "code") if key in found), None)
    message = next((text for key in ("message", "detail", "error") if (text := _text(found.get(key)))), "")
    return code, message


def _text(value: object, depth: int = _DEPTH) -> str:
    """A readable text out of a string, an error object or a list of them."""
    if depth == 0:
        return ""
    if isinstance(value, str):
        return "".join(mark if mark.isprintable() else " " for mark in value).strip()[:500]
    if isinstance(value, list):
        return "; ".join(text for item in value[:5] if (text := _text(item, depth - 1)))
    if isinstance(value, dict):
        field = _field(value.get("loc"))
        texts = (_text(value.get(key), depth - 1) for key in ("message", "msg", "detail", "reason"))
        text = next(filter(None, texts), "")
        return f"{field}: {text}" if field and text else text or field
    return ""


def _field(loc: object) -> str:
    """The name of the field that a rejected input's `loc` points to."""
    parts = loc if isinstance(loc, list) else []
    return ".".join(_text(str(part)) for part in parts if isinstance(part, str | int) and part != "body")[:100]


def _links(output: object, depth: int = _DEPTH) -> list[str]:
    """The video URLs of any documented shape of `output`."""
    if depth == 0:
        return []
    if isinstance(output, str):
        return [output] if output else []
    if isinstance(output, list):
        return [link for item in output for link in _links(item, depth - 1)]
    if isinstance(output, dict):
        return [link for key in ("video", "videos", "url") for link in _links(output.get(key), depth - 1)]
    return []


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
