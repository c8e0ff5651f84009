"""Every way in which a call to RunComfy can fail.

RunComfyError
├── InvalidRequest          never left this machine
├── MissingToken            never left this machine
├── InvalidOrigin           never left this machine
├── TransientError          may go away by itself: reads go on
│   ├── ConnectError         no connection could be made
│   ├── ReadError             the connection broke or timed out before a whole answer came
│   ├── RateLimited         HTTP 429
│   ├── ServerError      HTTP 408 and 5xx
│   └── InvalidResponse     an answer that is not what the documentation describes
└── RejectedError                 a definite no
    ├── InvalidIdentifier   400001: wrong model or request id
    ├── ValidationError       HTTP 400 or 422: the input does not fit the schema
    ├── AuthenticationError        HTTP 401: the token
    ├── InsufficientFunds   HTTP 402: the balance
    ├── PermissionDenied    HTTP 403: somebody else's request
    └── NotFound            HTTP 404: unknown, deleted or expired

A message is always three parts: what happened, whether it was charged, what to do.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class Charge(Enum):
    """What an error means for the user's money."""

    NOTHING = "Nothing was charged."
    UNKNOWN = "It may have been charged."
    ACCEPTED = "RunComfy had already accepted the job and may charge for it."


class RunComfyError(Exception):
    """A call to RunComfy that did not work. ``str()`` is the message for the user."""

    not_accepted: ClassVar[bool] = True
    """As the answer to a submit: provably no job was created."""

    def __init__(self, message: str, advice: str, *, charge: Charge = Charge.NOTHING) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.charge = charge
        self.request_id: str | None = None
        """The job that the failed call was about, if there was one."""

    def about(self, request_id: str) -> None:
        """Name the accepted job that this failed call was about."""
        self.request_id = request_id
        self.charge = Charge.ACCEPTED

    def __str__(self) -> str:
        job = f" Request id: {self.request_id}." if self.request_id else ""
        return f"{self.message} {self.charge.value} {self.advice}{job}"


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
    """No connection could be made, so the request cannot have arrived."""

    not_accepted = True

    def __init__(self, reason: str) -> None:
        super().__init__(f"RunComfy could not be reached ({reason}).", "Check the network connection and run again.")


class ReadError(TransientError):
    """The request may have arrived, but no whole answer came back."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The connection to RunComfy ended before its answer was complete ({reason}).",
            "Check the network connection and run again.",
            charge=Charge.UNKNOWN,
        )


class RateLimited(TransientError):
    """HTTP 429: too many calls; nothing was done."""

    not_accepted = True

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("RunComfy is limiting how often this account may call it.", "Wait a minute and run again.")
        self.retry_after = retry_after


class ServerError(TransientError):
    """HTTP 408 or 5xx: the service did not cope."""

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(
            f"RunComfy answered with HTTP {status}{_quoted(message)}.",
            "Look at RunComfy's status page and run again later.",
            charge=Charge.UNKNOWN,
        )
        self.retry_after = retry_after


class InvalidResponse(TransientError):
    """A success or a redirect that does not say what the documentation promises."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"RunComfy's answer could not be understood: {problem}.",
            "If RUNCOMFY_API_BASE_URL or a proxy is set, check it; then run again.",
            charge=Charge.UNKNOWN,
        )


class RejectedError(RunComfyError):
    """A definite no of the service; asking again brings the same answer."""


class InvalidIdentifier(RejectedError):
    """400001: the model or request id is not one."""

    def __init__(self, identifier: str, message: str) -> None:
        super().__init__(
            f"RunComfy does not know {identifier!r:.150}{_quoted(message)}.",
            "Request ids are listed on RunComfy's Generations page, models on its Models page.",
        )


class ValidationError(RejectedError):
    """HTTP 400 or 422: the service does not accept the input."""

    def __init__(self, message: str) -> None:
        super().__init__(f"RunComfy did not accept the input{_quoted(message)}.", "Correct it and run again.")


class AuthenticationError(RejectedError):
    """HTTP 401: the token is wrong, expired or revoked, or the account is not active."""

    def __init__(self, token_source: str, message: str) -> None:
        super().__init__(
            f"RunComfy did not accept the token from {token_source}{_quoted(message)}.",
            "Copy a current token from your RunComfy profile and set it there, or set another source.",
        )


class InsufficientFunds(RejectedError):
    """HTTP 402 or 400002: the balance is used up."""

    def __init__(self, message: str) -> None:
        super().__init__(
            f"The RunComfy balance is used up{_quoted(message)}. Nothing was generated.",
            "Add funds on RunComfy's billing page and run again.",
        )


class PermissionDenied(RejectedError):
    """HTTP 403: the request belongs to another account."""

    def __init__(self, token_source: str, message: str) -> None:
        super().__init__(
            f"The account of the token from {token_source} may not see this{_quoted(message)}.",
            "Use the token of the account that made the request.",
        )


class NotFound(RejectedError):
    """HTTP 404: the service no longer has it, or never had."""

    def __init__(self, message: str, *, definite: bool = True) -> None:
        super().__init__(
            f"RunComfy does not have this{_quoted(message)}: it is unknown, deleted or expired.",
            "It can no longer be fetched; check the id, or generate it anew.",
        )
        self.definite = definite
        """Whether the service itself says so (404001), rather than something in front of it, perhaps."""


def _quoted(message: str) -> str:
    """`: "reason"`, or nothing where the service gave no reason."""
    reason = " ".join(message.split())[:300].rstrip(".")
    return f': "{reason}"' if reason else ""
