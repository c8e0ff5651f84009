"""What RunComfy's answers mean: from bytes to typed values, or to the right error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from .errors import InvalidResponse, RunComfyError, Subject, error_for
from .request import is_request_id

MAX_VIDEOS: Final = 16
"""Of one job; the service documents one, and each may have hundreds of megabytes."""
_MAX_DEPTH: Final = 8
"""Levels of lists and objects that are looked into; the documented answers have three."""
_MAX_TEXT_LENGTH: Final = 500
"""Characters of a text that is shown."""
_ABSURD: Final = 10**9
"""A number this large is taken for nonsense, be it a place in a queue, an amount of money or seconds."""
_ABOUT_THE_CALL: Final = (400004, 403001, 404001)
"""Codes that say why a job cannot be seen, never how it ended, whatever else stands in the answer."""


@dataclass(frozen=True)
class ApiResponse:
    """One whole answer, whatever its status. Its headers, unlike its body, may quote the token."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


class JobState(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"
    """Over, but only the result tells how: the status call says `completed` for failures too."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """An undocumented status; treated as running."""


@dataclass(frozen=True)
class JobStatus:
    state: JobState
    raw_status: str
    """The state as the service spelt it."""
    queue_position: int | None = None
    """Jobs in front, while queued and where the service tells."""


@dataclass(frozen=True)
class JobResult:
    state: JobState
    raw_status: str
    videos: tuple[str, ...] = ()
    """URLs, in the service's order; they expire."""
    reason: str = ""
    """Why it failed, in the service's words."""
    cost: float | None = None
    """US dollars, where the service tells."""


@dataclass(frozen=True)
class ModelInfo:
    """A part is empty if the service does not tell it."""

    base_price_usd: float | None = None
    price_unit: str = ""


_STATES: Final = {
    "in_queue": JobState.QUEUED,
    **dict.fromkeys(("in_progress", "pending", "waiting", "starting", "processing"), JobState.RUNNING),
    **dict.fromkeys(("completed", "succeeded"), JobState.SUCCEEDED),
    **dict.fromkeys(("failed", "error"), JobState.FAILED),
    **dict.fromkeys(("cancelled", "canceled"), JobState.CANCELLED),
}


class Answer:
    """A response whose HTTP status is a success, about the job that was asked for. The constructor and the methods
    raise the error that the response means, or `InvalidResponse` if it means none that is documented.
    """

    def __init__(self, response: ApiResponse, subject: Subject) -> None:
        self._response, self._subject = response, subject
        try:
            # As UTF-8: from bytes, json would guess, and the token is found in none of the other encodings.
            body = json.loads(response.body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            body = None
        self._body: dict[str, object] = body if isinstance(body, dict) else {}
        if response.status >= 400:
            raise self._error("")
        if not 200 <= response.status < 300:
            raise InvalidResponse("noSuccess", subject, status=response.status)
        if not isinstance(body, dict):
            raise InvalidResponse("noObject", subject)
        if subject.request_id:
            if count_in(body.get("error_code")) in _ABOUT_THE_CALL:
                raise self._error("")
            if isinstance(named := body.get("request_id"), str) and named != subject.request_id:
                raise InvalidResponse("otherJob", subject)

    def request_id(self) -> str:
        """The request id of an accepted job. A usable one is enough, whatever else the answer says."""
        request_id = self._body.get("request_id")
        if is_request_id(request_id):
            return request_id
        shown = text_in(request_id) if isinstance(request_id, str) else ""
        raise self._error("wrongRequestId", id=shown) if shown else self._error("noRequestId")

    def status(self) -> JobStatus:
        word, state = self._state()
        state = JobState.ENDED if state in (JobState.SUCCEEDED, JobState.FAILED) else state
        return JobStatus(state, word, count_in(self._body.get("queue_position")))

    def result(self) -> JobResult:
        body, (word, state) = self._body, self._state()
        videos = tuple(dict.fromkeys(links_in(body.get("output"))))[:MAX_VIDEOS]
        reason = text_in(body.get("error")) or text_in(body.get("error_message"))
        if word == "completed" and reason and not videos:
            state = JobState.FAILED
        return JobResult(state, word, videos, reason, number_in(body.get("cost")))

    def is_cancelled(self) -> bool:
        """What the cancel call did. Only `outcome` tells: beside it, `status` has been seen to say something else."""
        outcome = self._body.get("outcome")
        if outcome not in ("cancelled", "canceled", "not_cancellable"):
            raise self._error("noOutcome")
        return outcome != "not_cancellable"

    def model(self) -> ModelInfo:
        if self._body.get("error_code"):
            raise self._error("")
        return ModelInfo(number_in(self._body.get("base_price_usd")), text_in(self._body.get("price_unit")))

    def _state(self) -> tuple[str, JobState]:
        status = self._body.get("status")
        word = text_in(status)[:60].lower() if isinstance(status, str) else ""
        # With a code, the undocumented word `error` is as likely about the call as about the job.
        if not word or (word == "error" and self._body.get("error_code")):
            raise self._error("noStatus")
        return word, _STATES.get(word, JobState.UNKNOWN)

    def _error(self, problem: str, **values: str) -> RunComfyError:
        """The error that this answer means, by its code and message under any of the names that are in use for them.
        For a success without a code, it is an `InvalidResponse` with this ``problem``."""
        body, status = self._body, self._response.status
        if status < 400:
            if not body.get("error_code"):
                return InvalidResponse(problem, self._subject, **values)
            # The first three digits are the HTTP status that it might as well have had.
            status = (count_in(body["error_code"]) or 0) // 1000
            status = status if 400 <= status < 600 else 400
        if isinstance(nested := body.get("error"), dict):
            body = nested | body
        code = next((body[key] for key in ("error_code", "code") if body.get(key) is not None), None)
        texts = (text_in(body.get(key)) for key in ("error_message", "message", "error", "detail"))
        # The header's other form, a date, is ignored.
        retry_after = number_in(self._response.headers.get("retry-after"))
        return error_for(status, count_in(code), next(filter(None, texts), ""), self._subject, retry_after)


def text_in(value: object, depth: int = _MAX_DEPTH) -> str:
    """A readable text out of a string, an error object or a list of them; empty where there is none."""
    if depth == 0:
        return ""
    if isinstance(value, str):
        return "".join(mark if mark.isprintable() else " " for mark in value[:_MAX_TEXT_LENGTH]).strip()
    if isinstance(value, list):
        return "; ".join(text for item in value[:5] if (text := text_in(item, depth - 1)))[:_MAX_TEXT_LENGTH]
    if isinstance(value, dict):
        texts = (text_in(value.get(key), depth - 1) for key in ("message", "msg", "detail", "reason"))
        loc = value.get("loc")
        parts = loc if isinstance(loc, list) else []
        place = ".".join(text_in(str(part)) for part in parts if isinstance(part, str | int) and part != "body")[:100]
        return ": ".join(filter(None, (place, next(filter(None, texts), ""))))
    return ""


def links_in(output: object, depth: int = _MAX_DEPTH) -> list[str]:
    """The video URLs of any documented shape of `output`."""
    if depth == 0:
        return []
    if isinstance(output, str):
        return [output] if output else []
    if isinstance(output, dict):
        output = [output.get(key) for key in ("video", "videos", "url")]
    return [link for item in output for link in links_in(item, depth - 1)] if isinstance(output, list) else []


def number_in(value: object) -> float | None:
    """A number from 0 on, also one that is written as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < _ABSURD else None


def count_in(value: object) -> int | None:
    """The same for whole numbers."""
    number = number_in(value)
    return int(number) if number is not None and number.is_integer() else None
