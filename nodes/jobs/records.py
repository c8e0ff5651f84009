"""One paid request and what has become of it, as the journal keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import SeedanceError
from ..runcomfy.request import GenerationRequest
from .states import State

SUBMIT_SECONDS: Final = 90.0
"""From the intent on, until other runs may take the submit call for ended. Its writer gives it up well before."""


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
    def of(cls, request: GenerationRequest, *, model: str, account: str, origin: str) -> RequestKey:
        """The key under which the journal keeps all jobs of this request."""
        return cls(hash_of(model, request.canonical()), hash_of(f"{account} at {origin}")[:16], origin)


@dataclass(frozen=True)
class JobRecord:
    """One row of the journal."""

    id: int
    """0 for a job that this journal does not know; whatever becomes of it is not written."""
    uid: str
    """Tells it from the rows of all other journals."""
    key: RequestKey
    run: str
    """Empty where any finished video of the request will do, else the run that wants a new one."""
    state: State
    request: GenerationRequest | None
    """None where a version with other rules has written it."""
    request_id: str = ""
    """RunComfy's id; empty until the service has accepted it."""
    created: float = 0.0
    """Seconds since the epoch, when it was about to be submitted."""
    changed: float = field(default=0.0, compare=False)
    """Seconds since the epoch, when its state was written."""
    submit_until: float = 0.0
    """Seconds since the epoch, after which the submit call cannot be under way any more."""
    claim_owner: str = ""
    claim_until: float = field(default=0.0, compare=False)
    """Seconds since the epoch, after which the claim is free unless it is renewed."""
    reported_by: str = ""
    """The server that reported the unknown outcome to its user."""
    seconds: float | None = None
    """From acceptance to the end of the job, where one run saw both."""
    cost: float | None = None
    """US dollars, where the service tells."""
    price: str = ""
    """The list price at the time, where the service tells: `$0.02 per second`."""
    reason: str = ""
    files: tuple[str, ...] = ()
    """Names inside the output folder."""
    media_host: str = ""
    """Where the service had put the video."""


def hash_of(*parts: str) -> str:
    """A hash that differs where any of the parts differs."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def read_request(written: str) -> GenerationRequest | None:
    """A request as it was written down; None where a version with other rules wrote it: that must hide no other row."""
    try:
        return GenerationRequest(**json.loads(written))
    except (SeedanceError, ValueError, TypeError):
        return None


def identity_columns(uid: str, key: RequestKey, run: str, request: GenerationRequest) -> dict[str, object]:
    """What the row of a job is known by, and what is asked for."""
    return {
        "uid": uid,
        "request_key": key.request,
        "account": key.account,
        "origin": key.origin,
        "run": run,
        "request": request.canonical(),
        "resolution": request.resolution,
        "duration": request.duration,
    }


def changed_columns(changes: dict[str, object]) -> dict[str, object]:
    """Fields of a record as columns of its row."""
    return {name: json.dumps(value) if name == "files" else value for name, value in changes.items()}


def record_of(row: Mapping[Any, Any]) -> JobRecord:
    """The record in a row, by the names of its columns."""
    same = ("id", "uid", "run", "created", "changed", "submit_until", "claim_owner", "claim_until", "reported_by")
    told = ("seconds", "cost", "price", "reason", "media_host")
    return JobRecord(
        **{name: row[name] for name in (*same, *told)},
        key=RequestKey(row["request_key"], row["account"], row["origin"]),
        state=State(row["state"]),
        request=read_request(row["request"]),
        request_id=row["request_id"] or "",
        files=tuple(json.loads(row["files"])),
    )
