"""Every way in which a call to RunComfy can fail.

RunComfyError
├── InvalidRequest          an input that cannot be meant: it never left this machine
├── MissingToken            no token that can be used: nothing left this machine
├── InvalidOrigin           RUNCOMFY_API_BASE_URL may not be sent a token: nothing left this machine
├── TransientError          may go away by itself: reads are repeated until the deadline
│   ├── ConnectError        no byte of the request has left
│   ├── ReadError           the connection broke or timed out before a whole answer came
│   ├── RateLimited         HTTP 429: too many calls; nothing was done
│   ├── ServerError         HTTP 408, 409, 425, 499 and 5xx: it, or something in front of it, gave up
│   ├── GatewayError        a refusal of a call about a job that may not be RunComfy's own
│   └── InvalidResponse     a success or a redirect that is not what the documentation describes
└── RejectedError           a definite no: asking again brings the same answer
    ├── InvalidIdentifier   400001: wrong model or request id
    ├── ValidationError     HTTP 400 or 422: the input does not fit the schema
    ├── AuthenticationError 400004 or HTTP 401: the token is wrong, expired or revoked, or the account is not active
    ├── InsufficientFunds   400002 or HTTP 402: the balance is used up
    ├── PermissionDenied    403001 or HTTP 403: somebody else's request
    └── NotFound            404001 or HTTP 404: unknown, deleted or expired

A message is always three parts: what happened, whether it was charged, what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from ..errors import Charge, SeedanceError


@dataclass(frozen=True)
class Subject:
    """What a call is about, as far as its errors tell the user."""

    name: str = ""
    """The model or request id that was asked for."""
    request_id: str | None = None
    """The job, if it is about one."""
    charge: Charge | None = None
    """What any failure means for the money; None where that depends on the failure."""
    token_source: str = ""


LOOK_FIRST: Final = "Look for it on RunComfy's Generations page before running again."
"""Where nobody can know whether a submit was accepted."""
NO_CALL: Final = Subject()
"""Of an error that comes before any call."""


class RunComfyError(SeedanceError):
    """A call to RunComfy that did not work. ``str()`` is the message for the user.

    Args:
        reason: what goes into the `template`, there also as `quoted`: the service's own words, or nothing.
        subject: what the call was about.
        advice: in place of the `usual_advice`.
        status: of the HTTP answer.
        retry_after: seconds that the service asks to wait, if it says so.
    """

    template: ClassVar[str] = "{reason}"
    usual_advice: ClassVar[str] = ""
    not_accepted: ClassVar[bool] = True
    """As the answer to a submit: provably no job was created."""

    def __init__(
        self,
        reason: str = "",
        subject: Subject = NO_CALL,
        *,
        advice: str = "",
        status: int = 0,
        retry_after: float | None = None,
    ) -> None:
        words = " ".join(reason.split())[:300].rstrip(".")
        quoted = f': "{words}"' if words else ""
        charge = subject.charge or (Charge.NOTHING if self.not_accepted else Charge.UNKNOWN)
        super().__init__(
            self.template.format(reason=reason, quoted=quoted, status=status, subject=subject),
            advice or (LOOK_FIRST if charge is Charge.UNKNOWN else self.usual_advice),
            charge=charge,
            request_id=subject.request_id,
        )
        self.subject = subject
        self.retry_after = retry_after


class InvalidRequest(RunComfyError):
    usual_advice = "Correct it and run again."


class MissingToken(RunComfyError):
    """None in any place, one that cannot be read, or one that cannot be a token."""


class InvalidOrigin(RunComfyError):
    """It could be read on the way, or is no address at all."""


class TransientError(RunComfyError):
    not_accepted = False
    usual_advice = "Check the network connection and run again."


class ConnectError(TransientError):
    not_accepted = True
    template = "RunComfy could not be reached ({reason})."
    usual_advice = "Check the network connection, and the proxy and certificates if some are set; then run again."


class ReadError(TransientError):
    template = "The connection to RunComfy ended before its answer was complete ({reason})."


class RateLimited(TransientError):
    not_accepted = True
    template = "RunComfy is limiting how often this account may call it."
    usual_advice = "Wait a minute and run again."

    def __init__(self, retry_after: float | None, subject: Subject = NO_CALL) -> None:
        super().__init__(subject=subject, retry_after=retry_after)


class ServerError(TransientError):
    template = "RunComfy answered with HTTP {status}{quoted}."
    usual_advice = "Look at RunComfy's status page and run again later."


class GatewayError(TransientError):
    template = "RunComfy, or a gateway in front of it, refused the call with HTTP {status}{quoted}."
    usual_advice = "Check the token and the request id, and a proxy if one is set; then run again."


class InvalidResponse(TransientError):
    template = "RunComfy's answer could not be understood: {reason}."
    usual_advice = "If RUNCOMFY_API_BASE_URL or a proxy is set, check it; then run again."


class RejectedError(RunComfyError):
    template = "RunComfy refused the call with HTTP {status}{quoted}."
    usual_advice = "Run again later."


class InvalidIdentifier(RejectedError):
    template = "RunComfy does not know {subject.name!r:.150}{quoted}."
    usual_advice = "Request ids are listed on RunComfy's Generations page, models on its Models page."


class ValidationError(RejectedError):
    template = "RunComfy did not accept the input{quoted}."
    usual_advice = "Correct it and run again."


class AuthenticationError(RejectedError):
    template = "RunComfy did not accept the token from {subject.token_source}{quoted}."
    usual_advice = "Copy a current token from your RunComfy profile and set it there, or set another source."


class InsufficientFunds(RejectedError):
    template = "The RunComfy balance is used up{quoted}. Nothing was generated."
    usual_advice = "Add funds on RunComfy's billing page and run again."


class PermissionDenied(RejectedError):
    template = "The account of the token from {subject.token_source} may not see this{quoted}."
    usual_advice = (
        "Use the token of the account that made the request; for a new one, look in your RunComfy profile whether the "
        "account is active."
    )


class NotFound(RejectedError):
    template = "RunComfy does not have this job or model, or does not have it any more{quoted}."
    usual_advice = "Check the request id if you gave one, and RUNCOMFY_API_BASE_URL if it is set. Else run again later."


_BY_CODE: Final = {
    400001: InvalidIdentifier,
    400002: InsufficientFunds,
    400004: AuthenticationError,
    403001: PermissionDenied,
    404001: NotFound,
}
"""RunComfy's own error codes."""
_BY_STATUS: Final = {
    400: ValidationError,
    401: AuthenticationError,
    402: InsufficientFunds,
    403: PermissionDenied,
    404: NotFound,
    422: ValidationError,
}


def error_for(status: int, code: int | None, reason: str, subject: Subject, retry_after: float | None) -> RunComfyError:
    """The error that an answer stands for, by its HTTP status and RunComfy's own code."""
    if status == 429:
        return RateLimited(retry_after, subject)
    if status >= 500 or status in (408, 409, 425, 499):  # something gave up on a request that may have got through
        return ServerError(reason, subject, status=status, retry_after=retry_after)
    kind = _BY_CODE.get(code or 0)
    if not kind and subject.request_id and (status in (401, 403, 404) or not reason):
        # The job is paid for: only RunComfy itself, not a gateway in front of it, may end the wait for it.
        return GatewayError(reason, subject, status=status)
    return (kind or _BY_STATUS.get(status, RejectedError))(reason, subject, status=status)
