"""The record of every paid job, written before the money is spent: SQLite, shared by a user's ComfyUI processes."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..runcomfy.errors import RunComfyError
from ..runcomfy.request import GenerationRequest
from .database import connect
from .errors import JournalUnusable
from .states import TRANSITIONS, State

_SELECT: Final = (
    "SELECT id, fingerprint, state, request, request_id, created, seconds, cost, reason, files, price FROM jobs "
)
_UNFINISHED: Final = (State.INTENDED, State.UNKNOWN, State.ACCEPTED, State.SUCCEEDED)


@dataclass(frozen=True)
class JobRecord:
    """One request and what has become of it."""

    id: int
    """Its row; 0 for a job that this journal does not know."""
    fingerprint: str
    state: State
    request: GenerationRequest | None
    request_id: str = ""
    """Empty until the service has accepted it."""
    created: float = 0.0
    """Seconds since the epoch, when it was about to be submitted."""
    seconds: float | None = None
    """From acceptance to the end of the job, where one run saw both."""
    cost: float | None = None
    """US dollars, where the service tells."""
    reason: str = ""
    files: tuple[str, ...] = ()
    """Names inside the output folder."""
    price: str = ""
    """The list price at the time, where the service tells: `$0.02 per second`."""


class Journal:
    """All records of one file, or of memory alone where ``file`` is None. May be used from any thread.

    Every method raises `JournalUnusable` where the file cannot be read, or written if need be.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def create(self, fingerprint: str, request: GenerationRequest, now: float) -> JobRecord:
        """Write down, durably, that a request is about to be submitted."""
        with self.writing() as database:
            row = database.execute(
                "INSERT INTO jobs (fingerprint, state, request, resolution, duration, created, changed) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    fingerprint,
                    State.INTENDED.value,
                    request.canonical(),
                    request.resolution,
                    request.duration,
                    now,
                    now,
                ),
            )
            return JobRecord(row.lastrowid or 0, fingerprint, State.INTENDED, request, created=now)

    def transition(self, record: JobRecord, to: State, now: float) -> JobRecord:
        """Write down what became of a record; its other fields are written as ``record`` has them.

        Raises:
            ValueError: an record never moves that way.
        """
        if to not in TRANSITIONS[record.state]:
            raise ValueError(f"a job that is {record.state.value} cannot become {to.value}")
        moved = replace(record, state=to)
        if record.id:
            with self.writing() as database:
                database.execute(
                    "UPDATE jobs SET state = ?, request_id = ?, created = ?, seconds = ?, cost = ?, reason = ?, "
                    "files = ?, price = ?, changed = ? WHERE id = ?",
                    (
                        to.value,
                        moved.request_id or None,
                        moved.created,
                        moved.seconds,
                        moved.cost,
                        moved.reason,
                        json.dumps(moved.files),
                        moved.price,
                        now,
                        moved.id,
                    ),
                )
        return moved

    def unfinished(self, fingerprint: str) -> JobRecord | None:
        """The newest record of a request that may still bring a video, or whose outcome nobody was told."""
        return self._first(
            f"WHERE fingerprint = ? AND state IN ({_marks(_UNFINISHED)}) ORDER BY id DESC LIMIT 1",
            fingerprint,
            *(state.value for state in _UNFINISHED),
        )

    def saved(self, fingerprint: str) -> JobRecord | None:
        """The newest record of a request whose video is, or was, on disk."""
        return self._first(
            "WHERE fingerprint = ? AND state = ? ORDER BY id DESC LIMIT 1", fingerprint, State.SAVED.value
        )

    def newest(self, fingerprint: str) -> JobRecord | None:
        """The newest record of a request, whatever became of it."""
        return self._first("WHERE fingerprint = ? ORDER BY id DESC LIMIT 1", fingerprint)

    def of_other_token(self, fingerprint: str, *, finished: bool) -> JobRecord | None:
        """The newest job of the same request and model with another token; fingerprints differ behind the dot only.

        Args:
            finished: whether one whose video has arrived will do.
        """
        request = fingerprint.partition(".")[0]
        states = [State.ACCEPTED.value, State.SUCCEEDED.value, *([State.SAVED.value] if finished else [])]
        return self._first(
            # Not LIKE, which no index serves; in ASCII the slash follows the dot.
            "WHERE fingerprint > ? AND fingerprint < ? AND fingerprint != ? "
            f"AND state IN ({_marks(states)}) ORDER BY id DESC LIMIT 1",
            f"{request}.",
            f"{request}/",
            fingerprint,
            *states,
        )

    def job(self, request_id: str) -> JobRecord | None:
        """The record of a job that the service accepted."""
        return self._first("WHERE request_id = ? ORDER BY id DESC LIMIT 1", request_id)

    def records(self, limit: int = 100) -> list[JobRecord]:
        """The newest records, newest first."""
        return self._all("ORDER BY id DESC LIMIT ?", limit)

    def durations(self, request: GenerationRequest, limit: int = 50) -> list[float]:
        """Seconds that the latest successful jobs of the same size and length took."""
        with self._using() as database:
            rows = database.execute(
                "SELECT seconds FROM jobs WHERE resolution = ? AND duration = ? AND seconds IS NOT NULL "
                "AND state IN (?, ?) ORDER BY id DESC LIMIT ?",
                (request.resolution, request.duration, State.SUCCEEDED.value, State.SAVED.value, limit),
            )
            return [seconds for (seconds,) in rows]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the file to itself from its start."""
        with self._using() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.commit()
            except BaseException:
                database.rollback()
                raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    def _first(self, where: str, *values: str) -> JobRecord | None:
        found = self._all(where, *values)
        return found[0] if found else None

    def _all(self, where: str, *values: str | int) -> list[JobRecord]:
        with self._using() as database:
            return [_record_of(row) for row in database.execute(_SELECT + where, values)]

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = connect(self._file)
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                if self._file:
                    # Opened again for the next call: the user may have repaired it, or moved it away, by then.
                    self.close()
                raise JournalUnusable(str(self._file or "in memory"), str(error)) from error


def _marks(values: Sequence[object]) -> str:
    """Placeholders for a list in SQL."""
    return ", ".join("?" * len(values))


def _record_of(
    row: tuple[int, str, str, str, str | None, float, float | None, float | None, str, str, str],
) -> JobRecord:
    number, fingerprint, state, request, request_id, created, seconds, cost, reason, files, price = row
    return JobRecord(
        number,
        fingerprint,
        State(state),
        _request(request),
        request_id or "",
        created,
        seconds,
        cost,
        reason,
        tuple(json.loads(files)),
        price,
    )


def _request(written: str) -> GenerationRequest | None:
    """None where a version with other rules wrote it: one such row must not hide all the others."""
    try:
        return GenerationRequest(**json.loads(written))
    except (RunComfyError, ValueError, TypeError):
        return None
