"""Every way in which a call to RunComfy can fail.

RunComfyError
├── InvalidRequest          never left this machine
├── MissingToken            never left this machine
├── InvalidOrigin           never left this machine
├── TransientError          may go away by itself: reads go on
│   ├── ConnectError        no byte of the request has left
│   ├── ReadError           the connection broke or timed out before a whole answer came
│   ├── RateLimited         HTTP 429
│   ├── ServerError         HTTP 408, 409, 425, 499 and 5xx
│   ├── GatewayError        a refusal of a call about a job that may not be RunComfy's own
│   └── InvalidResponse     an answer that is not what the documentation describes
└── RejectedError           a definite no
    ├── InvalidIdentifier   400001: wrong model or request id
    ├── ValidationError     HTTP 400 or 422: the input does not fit the schema
    ├── AuthenticationError 400004 or HTTP 401: the token
    ├── InsufficientFunds   400002 or HTTP 402: the balance
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
    unclear_advice: str = ""
    """What to do, in place of the usual, where nobody can know whether the call was accepted."""
    token_source: str = ""


NO_CALL: Final = Subject()
"""Of an error that comes before any call."""


class RunComfyError(SeedanceError):
    """A call to RunComfy that did not work. ``str()`` is the message for the user."""

    not_accepted: ClassVar[bool] = True
    """As the answer to a submit: provably no job was created."""

    def __init__(self, message: str, advice: str, subject: Subject = NO_CALL) -> None:
        if not self.not_accepted:
            advice = subject.unclear_advice or advice
        charge = subject.charge or (Charge.NOTHING if self.not_accepted else Charge.UNKNOWN)
        super().__init__(message, advice, charge=charge, request_id=subject.request_id)
        self.subject = subject
        """What the call was about."""


class InvalidRequest(RunComfyError):
    """An input that cannot be meant, such as one outside of the model's schema; nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "Correct it and run again.")


class MissingToken(RunComfyError):
    """No token that can be used: none in any place, one that cannot be read, or one that cannot be a token."""


class InvalidOrigin(RunComfyError):
    """RUNCOMFY_API_BASE_URL is not a place where a token may be sent."""


class TransientError(RunComfyError):
    """Trouble that says nothing about the job. Reads are repeated until the deadline."""

    not_accepted = False
    retry_after: float | None = None
    """Seconds that the service asks to wait, if it says so."""


class ConnectError(TransientError):
    """No byte of the request has left: there was no connection, or it broke in the TLS handshake."""

    not_accepted = True

    def __init__(self, reason: str, subject: Subject = NO_CALL) -> None:
        super().__init__(
            f"RunComfy could not be reached ({reason}).", "Check the network connection and run again.", subject
        )


class ReadError(TransientError):
    """The request may have arrived, but no whole answer came back."""

    def __init__(self, reason: str, subject: Subject = NO_CALL) -> None:
        super().__init__(
            f"The connection to RunComfy ended before its answer was complete ({reason}).",
            "Check the network connection and run again.",
            subject,
        )


class RateLimited(TransientError):
    """HTTP 429: too many calls; nothing was done."""

    not_accepted = True

    def __init__(self, retry_after: float | None, subject: Subject = NO_CALL) -> None:
        super().__init__(
            "RunComfy is limiting how often this account may call it.", "Wait a minute and run again.", subject
        )
        self.retry_after = retry_after


class ServerError(TransientError):
    """HTTP 408, 409, 425, 499 or 5xx: the service did not cope, or something in front of it gave up."""

    def __init__(self, status: int, message: str, retry_after: float | None = None, subject: Subject = NO_CALL) -> None:
        super().__init__(
            f"RunComfy answered with HTTP {status}{_quoted(message)}.",
            "Look at RunComfy's status page and run again later.",
            subject,
        )
        self.retry_after = retry_after


class GatewayError(TransientError):
    """A refusal of a call about a job that may not be RunComfy's own, but that of something in front of it.

    So are 401, 403 and 404 without RunComfy's error code, and any other without a reason.
    """

    def __init__(self, status: int, message: str, subject: Subject = NO_CALL) -> None:
        super().__init__(
            f"RunComfy, or a gateway in front of it, refused the call with HTTP {status}{_quoted(message)}.",
            "Check the token and the request id, and a proxy if one is set; then run again.",
            subject,
        )


class InvalidResponse(TransientError):
    """A success or a redirect that does not say what the documentation promises."""

    def __init__(self, problem: str, subject: Subject = NO_CALL) -> None:
        super().__init__(
            f"RunComfy's answer could not be understood: {problem}.",
            "If RUNCOMFY_API_BASE_URL or a proxy is set, check it; then run again.",
            subject,
        )


class RejectedError(RunComfyError):
    """A definite no of the service; asking again brings the same answer."""


class InvalidIdentifier(RejectedError):
    """The model or request id is not one."""

    def __init__(self, message: str, subject: Subject) -> None:
        super().__init__(
            f"RunComfy does not know {subject.name!r:.150}{_quoted(message)}.",
            "Request ids are listed on RunComfy's Generations page, models on its Models page.",
            subject,
        )


class ValidationError(RejectedError):
    """The service does not accept the input."""

    def __init__(self, message: str, subject: Subject) -> None:
        super().__init__(f"RunComfy did not accept the input{_quoted(message)}.", "Correct it and run again.", subject)


class AuthenticationError(RejectedError):
    """The token is wrong, expired or revoked, or the account is not active."""

    def __init__(self, message: str, subject: Subject) -> None:
        super().__init__(
            f"RunComfy did not accept the token from {subject.token_source}{_quoted(message)}.",
            "Copy a current token from your RunComfy profile and set it there, or set another source.",
            subject,
        )


class InsufficientFunds(RejectedError):
    """The balance is used up."""

    def __init__(self, message: str, subject: Subject) -> None:
        super().__init__(
            f"The RunComfy balance is used up{_quoted(message)}. Nothing was generated.",
            "Add funds on RunComfy's billing page and run again.",
            subject,
        )


class PermissionDenied(RejectedError):
    """The request belongs to another account."""

    def __init__(self, message: str, subject: Subject) -> None:
        super().__init__(
            f"The account of the token from {subject.token_source} may not see this{_quoted(message)}.",
            "Use the token of the account that made the request.",
            subject,
        )


class NotFound(RejectedError):
    """The service no longer has it, or never had."""

    def __init__(self, message: str, subject: Subject) -> None:
        super().__init__(
            f"RunComfy does not have this job or model{_quoted(message)}: it is unknown, deleted or expired.",
            "It can no longer be fetched; check the id, or generate it anew.",
            subject,
        )


def _quoted(message: str) -> str:
    """`: "reason"`, or nothing where the service gave no reason."""
    reason = " ".join(message.split())[:300].rstrip(".")
    return f': "{reason}"' if reason else ""
