"""One paid job as the journal keeps it: the states that it passes through, and its record."""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass, field
from typing import Final

from ..errors import SeedanceError
from ..runcomfy.request import MODEL_ID, GenerationRequest

SUBMIT_SECONDS: Final = 90.0
"""From the intent on; then other runs take the submit call for ended. The call itself is given up well before."""
CLAIM_SECONDS: Final = 30.0
"""That a claim on a job or a place in line lasts unless it is renewed."""


class State(enum.Enum):
    """The state of a job. The value is what the journal holds; people read the name."""

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
"""Of one request, account and run, one record at most is in these states: a unique index of the journal."""

NOT_ACCEPTED_YET: Final = frozenset({State.INTENDED, State.REFUSED, State.UNKNOWN, State.UNKNOWN_REPORTED})
"""An acceptance always replaces these."""

_ENDS: Final = frozenset({State.FAILED, State.CANCELLED, State.EXPIRED, State.SAVED})

_PRIVATE_TO_A_RUN: Final = _ENDS - {State.CANCELLED} | {State.INTENDED, State.REFUSED, State.ACCEPTED, State.SUCCEEDED}

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


@dataclass(frozen=True)
class RequestKey:
    """What is asked of whom. Equal for equal requests of one account."""

    request: str
    """A hash of the model and the input."""
    account: str
    """Tells accounts apart; not the token, nor anything that it could be had back from."""
    origin: str
    """The service; empty in records of the first version, which could not tell."""

    @classmethod
    def of(cls, request: GenerationRequest, *, account: str, origin: str) -> RequestKey:
        """The key under which the journal keeps all jobs of this request."""
        return cls(hash_of(MODEL_ID, request.canonical()), hash_of(f"{account} at {origin}")[:16], origin)


@dataclass(frozen=True)
class Order:
    """The video that a run wants."""

    request: GenerationRequest
    key: RequestKey
    run_key: str = ""
    """Empty where any finished video of the request will do (`reuse`), else the run that wants a new one."""


@dataclass(frozen=True)
class JobRecord:
    """One row of the journal. Times are seconds since the epoch, by the database's clock."""

    id: int
    """0 for a job that this journal does not know; whatever becomes of it is not written."""
    uid: str
    """Tells it from the rows of all other journals."""
    key: RequestKey
    run: str
    """As `Order.run_key`."""
    state: State
    request: GenerationRequest | None
    """None if a version with other rules has written it."""
    request_id: str = ""
    """RunComfy's id; empty until the service has accepted it."""
    created: float = 0.0
    """When it was about to be submitted."""
    changed: float = field(default=0.0, compare=False)
    """When its state was written."""
    submit_until: float = 0.0
    """After which the submit call cannot be under way any more."""
    claim_owner: str = ""
    claim_until: float = field(default=0.0, compare=False)
    """After which the claim is free unless it is renewed."""
    reported_by: str = ""
    """The server that reported the unknown outcome to its user."""
    seconds: float | None = None
    """From acceptance to the end of the job, where one run saw both."""
    cost: float | None = None
    """US dollars, where the service tells."""
    estimate: int | None = None
    """What it was expected to cost when it was submitted, in millionths of a US dollar, where that was known."""
    price: str = ""
    """The list price at the time, where the service tells: `$0.02 per second`."""
    reason: str = ""
    files: tuple[str, ...] = ()
    """Names inside the output folder of all its videos, once their number is known."""
    media_host: str = ""
    """Where the service had put the video."""

    def matters_to(self, run_key: str) -> bool:
        """Whether what a run does may depend on this record. One that wants a video of its own ignores what other runs
        work on or have."""
        return not run_key or self.run == run_key or self.state not in _PRIVATE_TO_A_RUN


def hash_of(*parts: str) -> str:
    """A hash that differs where any of the parts differs."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def read_request(written: str) -> GenerationRequest | None:
    """A request as it was written down; None where a version with other rules wrote it: that must hide no other row."""
    try:
        return GenerationRequest(**json.loads(written))
    except (SeedanceError, ValueError, TypeError):
        return None
