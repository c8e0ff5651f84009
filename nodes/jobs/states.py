"""What can have become of a request, and what may become of it next."""

from __future__ import annotations

from enum import Enum
from typing import Final


class State(Enum):
    """The state of a journal entry; the value is what the file holds."""

    INTENDED = "intended"
    """Written before the submit call. Found without its writer: nobody knows whether the service took it."""
    REFUSED = "refused"
    """Provably not accepted; nothing was charged."""
    UNKNOWN = "unknown"
    """The submit call ended unclearly, and nobody has told the user yet."""
    UNKNOWN_REPORTED = "told"
    """As `UNKNOWN`, and the user was told; running again submits anew."""
    ACCEPTED = "accepted"
    """The service has the job; its request id is known."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"
    """The video exists at the service, but is not on disk yet."""
    SAVED = "saved"
    """The video is on disk, checked."""
    EXPIRED = "forgotten"
    """The service no longer knows the job."""


TRANSITIONS: Final = {
    State.INTENDED: {State.ACCEPTED, State.REFUSED, State.UNKNOWN},
    State.REFUSED: {State.INTENDED},
    State.UNKNOWN: {State.UNKNOWN_REPORTED},
    State.UNKNOWN_REPORTED: set[State](),
    State.ACCEPTED: {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED},
    State.FAILED: set[State](),
    State.CANCELLED: set[State](),
    State.SUCCEEDED: {State.SAVED, State.EXPIRED},
    State.SAVED: {State.SAVED, State.EXPIRED},
    State.EXPIRED: set[State](),
}
"""The whole machine: no entry ever moves in another way."""
