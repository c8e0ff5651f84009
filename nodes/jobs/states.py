"""What can have become of a request, and what may become of it next."""

from __future__ import annotations

from enum import Enum
from typing import Final


class State(Enum):
    """The state of a job record; the value is what the journal holds."""

    INTENDED = "intended"
    """Written before the submit call. Past its `submit_until`, nobody knows whether the service took it."""
    REFUSED = "refused"
    """Provably not accepted; nothing was charged."""
    UNKNOWN = "unknown"
    """The submit call ended unclearly, and nobody has reported that to the user yet."""
    UNKNOWN_REPORTED = "told"
    """As `UNKNOWN`, and it was reported; a run that was queued after that may submit anew."""
    ACCEPTED = "accepted"
    """The service has the job; its request id is known."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"
    """The video exists at the service, but is not on disk yet."""
    SAVED = "saved"
    """The video is on disk, checked."""
    EXPIRED = "forgotten"
    """The service no longer had the job when it was last asked."""
    SURPLUS = "surplus"
    """Accepted beside another unfinished job of the same request: cancelled if that is possible, else fetched."""


UNFINISHED: Final = frozenset({State.INTENDED, State.UNKNOWN, State.ACCEPTED, State.SUCCEEDED})
"""Of these, one request of one account and run has one record at most: a unique index of the journal."""

NOT_ACCEPTED_YET: Final = frozenset({State.INTENDED, State.REFUSED, State.UNKNOWN, State.UNKNOWN_REPORTED})
"""Over these an acceptance is always written."""

_ENDS: Final = frozenset({State.FAILED, State.CANCELLED, State.EXPIRED, State.SAVED})

TRANSITIONS: Final = {
    State.INTENDED: frozenset({State.ACCEPTED, State.REFUSED, State.UNKNOWN}),
    State.REFUSED: frozenset({State.INTENDED, State.ACCEPTED}),
    State.UNKNOWN: frozenset({State.ACCEPTED, State.UNKNOWN_REPORTED}),
    State.UNKNOWN_REPORTED: frozenset({State.ACCEPTED, State.UNKNOWN_REPORTED}),
    State.ACCEPTED: _ENDS | {State.SUCCEEDED},
    State.FAILED: frozenset[State](),
    State.CANCELLED: frozenset({State.ACCEPTED, State.SUCCEEDED}),
    State.SUCCEEDED: frozenset({State.SAVED, State.EXPIRED}),
    State.SAVED: frozenset({State.SAVED, State.EXPIRED}),
    State.EXPIRED: frozenset({State.ACCEPTED, State.SUCCEEDED, State.SAVED}),
    State.SURPLUS: _ENDS,
}
"""All changes of state but those to `SURPLUS`, which the journal makes where the unique index forbids `ACCEPTED`."""
