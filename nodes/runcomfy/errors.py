"""Every way in which a call to RunComfy can fail.

RunComfyError               by its key alone, where no code tells it from others
├── InvalidRequest          an input that the model does not take: it never left this machine
├── MissingToken            no token that can be used: nothing left this machine
├── TransientError          may go away by itself, as a 5xx may: reads are repeated until the deadline
│   ├── ConnectError        no byte of the request has left
│   ├── ReadError           the connection broke or timed out before a whole answer came
│   ├── RateLimited         HTTP 429: too many calls; nothing was done
│   └── InvalidResponse     a success or a redirect that is not what the documentation describes
└── RejectedError           a definite no, as to a wrong input or token: asking again brings the same answer
    ├── PermissionDenied    somebody else's request
    └── NotFound            an unknown, deleted or expired request

What each says is in the locales.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from ..errors import Charge, SeedanceError
from ..texts import Text


@dataclass(frozen=True)
class Subject:
    """What a call is about, for the errors that the user reads."""

    name: str = ""
    """The model or request id that was asked for."""
    request_id: str | None = None
    """The job, if it is about one."""
    charge: Charge | None = None
    """What any failure means for the money; None where that depends on the failure."""
    token_source: str = ""


NO_CALL: Final = Subject()


class RunComfyError(SeedanceError):
    """A call to RunComfy that did not work. The service may ask to wait ``retry_after`` seconds."""

    not_accepted: ClassVar[bool] = True
    """Whether it proves, after a submit call, that no job was created."""

    def __init__(
        self,
        key: str,
        subject: Subject = NO_CALL,
        *,
        advice: str = "",
        retry_after: float | None = None,
        **values: str | int,
    ) -> None:
        charge = subject.charge or (Charge.NOTHING if self.not_accepted else Charge.UNKNOWN)
        if charge is Charge.UNKNOWN:
            advice = Text("lookFirst")
        super().__init__(key, advice, charge=charge, request_id=subject.request_id, **values)
        self.subject = subject
        self.retry_after = retry_after


class InvalidRequest(RunComfyError):
    """``problem`` is a sentence, one of `input` in the locales."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, advice=Text("correctIt"))


class MissingToken(RunComfyError):
    """None in any place, one that cannot be read, or one that cannot be a token."""


class TransientError(RunComfyError):
    not_accepted = False


class ConnectError(TransientError):
    not_accepted = True

    def __init__(self, reason: str, subject: Subject = NO_CALL) -> None:
        super().__init__("connectError", subject, reason=reason)


class ReadError(TransientError):
    def __init__(self, reason: str, subject: Subject = NO_CALL) -> None:
        super().__init__("readError", subject, reason=reason)


class RateLimited(TransientError):
    not_accepted = True

    def __init__(self, retry_after: float | None, subject: Subject = NO_CALL) -> None:
        super().__init__("rateLimited", subject, retry_after=retry_after)


class InvalidResponse(TransientError):
    """``problem`` is the key of what is wrong with it; ``values`` fill that sentence."""

    def __init__(self, problem: str, subject: Subject, **values: str | int) -> None:
        super().__init__("invalidResponse", subject, reason=Text(f"errors.invalidResponse.{problem}", **values))


class RejectedError(RunComfyError): ...


class PermissionDenied(RejectedError): ...


class NotFound(RejectedError): ...


_BY_CODE: Final[dict[int | None, tuple[type[RunComfyError], str]]] = {
    400001: (RejectedError, "invalidIdentifier"),
    400002: (RejectedError, "insufficientFunds"),
    400004: (RejectedError, "tokenRejected"),
    403001: (PermissionDenied, "permissionDenied"),
    404001: (NotFound, "notFound"),
}
"""What RunComfy's own error codes mean."""
_CODES: Final = {401: 400004, 402: 400002, 403: 403001, 404: 404001}
"""HTTP statuses that mean the same as one of RunComfy's codes."""


def error_for(status: int, code: int | None, reason: str, subject: Subject, retry_after: float | None) -> RunComfyError:
    """The error that an answer stands for, by its HTTP status and RunComfy's own code, with its own words, if any."""
    if status == 429:
        return RateLimited(retry_after, subject)
    kind: type[RunComfyError] = TransientError
    if status >= 500 or status in (408, 409, 425, 499):  # something gave up on a request that may have got through
        key = "serverError"
    elif code not in _BY_CODE and subject.request_id and (status in (401, 403, 404) or not reason):
        # The job is paid for: only RunComfy itself, not a gateway in front of it, may end the wait for it.
        key = "gatewayError"
    else:
        other = RejectedError, "inputRejected" if status in (400, 422) else "rejected"
        kind, key = _BY_CODE.get(code) or _BY_CODE.get(_CODES.get(status), other)
    words = " ".join(reason.split())[:300].rstrip(".")
    quoted, name = f': "{words}"' if words else "", f"{subject.name!r:.150}"
    source = subject.token_source
    return kind(key, subject, retry_after=retry_after, status=status, quoted=quoted, name=name, source=source)
