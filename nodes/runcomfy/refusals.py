"""Which error an answer is: by its HTTP status, and by RunComfy's own code, which may also stand in a success."""

from __future__ import annotations

import json
from typing import Final

from .errors import (
    AuthenticationError,
    GatewayError,
    InsufficientFunds,
    InvalidIdentifier,
    InvalidResponse,
    NotFound,
    PermissionDenied,
    RateLimited,
    RejectedError,
    RunComfyError,
    ServerError,
    Subject,
    ValidationError,
)
from .parsing import count_in, number_in, text_in
from .transport import ApiResponse

_DEFINITE: Final = {
    400001: InvalidIdentifier,
    400002: InsufficientFunds,
    400004: AuthenticationError,
    403001: PermissionDenied,
    404001: NotFound,
}
"""RunComfy's own error codes."""
ABOUT_THE_CALL: Final = (400004, 403001, 404001)
"""Those that say why a job cannot be seen, never how it ended, whatever else stands in the answer."""
_BY_STATUS: Final = {
    401: AuthenticationError,
    402: InsufficientFunds,
    403: PermissionDenied,
    404: NotFound,
    400: ValidationError,
    422: ValidationError,
}
_UNCLEAR: Final = (408, 409, 425, 499)
"""Where something gave up on a request that may have got through."""


def raise_for_status(response: ApiResponse, subject: Subject) -> None:
    """Raise the error that an answer stands for which is no success by its HTTP status."""
    if 200 <= response.status < 300:
        return
    if response.status < 400:
        raise InvalidResponse(f"HTTP {response.status} where a plain answer is documented", subject)
    found = json_in(response)
    raise _error(response.status, found if isinstance(found, dict) else {}, response, subject)


def raise_for_code(found: dict[str, object], response: ApiResponse, subject: Subject) -> None:
    """Raise the error that a success stands for which holds an error code, as RunComfy's own clients do."""
    if not (told := found.get("error_code")):
        return
    code = count_in(told) or 0
    # The first three digits are the HTTP status that it might as well have had.
    raise _error(code // 1000 if 400_000 <= code < 600_000 else 400, found, response, subject)


def _error(status: int, found: dict[str, object], response: ApiResponse, subject: Subject) -> RunComfyError:
    code, message = _code_and_message(found)
    # In seconds: the header's other form, a date, is passed over.
    retry_after = number_in(response.headers.get("retry-after"))
    if status == 429:
        return RateLimited(retry_after, subject)
    if status >= 500 or status in _UNCLEAR:
        return ServerError(status, message, retry_after, subject)
    if code in _DEFINITE:
        return _DEFINITE[code](message, subject)
    if subject.request_id and (status in (401, 403, 404) or not message):
        # The job is paid for: only RunComfy itself, not a gateway in front of it, may end the wait for it.
        return GatewayError(status, message, subject)
    if status in _BY_STATUS:
        return _BY_STATUS[status](message, subject)
    return RejectedError(f"RunComfy refused the call with HTTP {status}.", message or "Run again later.", subject)


def json_in(response: ApiResponse) -> object:
    """What the body says; None where it is no JSON."""
    try:
        # As UTF-8: from bytes, json would guess, and the token is found in none of the other encodings.
        return json.loads(response.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def json_object(response: ApiResponse, subject: Subject) -> dict[str, object]:
    """The body as an object. Raises `InvalidResponse` where it is none."""
    found = json_in(response)
    if isinstance(found, dict):
        return found
    raise InvalidResponse("it is not a JSON object", subject)


def _code_and_message(found: dict[str, object]) -> tuple[int | None, str]:
    """The numeric code and the message of an error body, under any of the names that are in use."""
    nested = found.get("error")
    if isinstance(nested, dict):
        found = nested | found
    code = next((count_in(told) for key in ("error_code", "code") if (told := found.get(key)) is not None), None)
    texts = (text_in(found.get(key)) for key in ("error_message", "message", "error", "detail"))
    return code, next(filter(None, texts), "")
