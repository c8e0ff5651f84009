"""What to do for a request, by what its records say: pure, so that every case of it is one row of a test's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from .records import SUBMIT_SECONDS, JobRecord, State

RECHECK_SECONDS: Final = 86400.0
"""Seconds for which a cancelled job is asked about once more before its request is bought again."""


class Disk(Enum):
    """Whether a job's videos are in the output folder."""

    WHOLE = "whole"
    MISSING = "missing"
    """A folder that can be listed does not have them, or what it has is damaged."""
    UNREADABLE = "unreadable"
    """It cannot be told just now: a drive is away, say."""


class Do(Enum):
    """What to do next. All but `SUBMIT` is about one record."""

    LOAD = "load the files"
    RESUME = "claim the job and bring its video"
    WAIT = "wait for the run that is at work on it"
    GIVE_UP_SUBMIT = "write down that the outcome of its submit call is unknown"
    REPORT = "raise its bad end, which this user cannot have read yet"
    RAISE_UNREADABLE = "raise that its files cannot be read just now"
    RECHECK = "ask the service once whether it has the job after all"
    SUBMIT = "submit the request: the one thing that costs money"


@dataclass(frozen=True)
class Action:
    do: Do
    record: JobRecord | None = None


@dataclass(frozen=True)
class Situation:
    """What is known beside the journal. The sets hold the `id` of records."""

    now: float
    """Seconds since the epoch, by the database's clock."""
    run_key: str = ""
    """As in `Order`."""
    disk: Mapping[int, Disk] = field(default_factory=dict)
    busy: frozenset[int] = frozenset()
    """Claimed by a living run."""
    unread: frozenset[int] = frozenset()
    """Ended badly or unclearly, which whoever queued this run cannot have read before."""
    not_ours: frozenset[int] = frozenset()
    """The service says that they are another account's."""
    rechecked: frozenset[int] = frozenset()
    """The service has said, in this run, that there is nothing to be had of them."""


Rule = Callable[[JobRecord, Situation], Do | None]


def decide(records: Sequence[JobRecord], situation: Situation) -> Action:
    """The next step for a request, by all of its records, of every account at this service, newest first."""
    ours = [record for record in records if record.id not in situation.not_ours]
    if not situation.run_key:
        return _first(ours, situation, _whole, _unfinished, _saved, _ended) or Action(Do.SUBMIT)
    mine = [record for record in ours if record.run == situation.run_key and record.state is not State.REFUSED]
    if mine:
        # A run that is executed again never buys again.
        return _first(mine, situation, _whole, _unfinished, _saved) or Action(Do.REPORT, mine[0])
    # A job that another run is at work on does not matter: that run gets its video, this one gets another.
    idle = [record for record in ours if _unfinished(record, situation) is not Do.WAIT]
    unclear = [record for record in ours if record.state in (State.UNKNOWN_REPORTED, State.CANCELLED)]
    return _first(idle, situation, _unfinished) or _first(unclear, situation, _ended) or Action(Do.SUBMIT)


def is_under_way(record: JobRecord, now: float) -> bool:
    """Whether the submit call of an intent may be under way still."""
    # One that ends later than any call begun now was begun before the clock was set back.
    return 0 < record.submit_until - now < 2 * SUBMIT_SECONDS


def _first(records: Sequence[JobRecord], situation: Situation, *rules: Rule) -> Action | None:
    """The action of the first rule that asks for one, for whichever record."""
    found = ((rule(record, situation), record) for rule in rules for record in records)
    return next((Action(do, record) for do, record in found if do), None)


def _whole(record: JobRecord, situation: Situation) -> Do | None:
    """A video on disk is loaded, whatever became of the job."""
    return Do.LOAD if situation.disk.get(record.id) is Disk.WHOLE else None


def _unfinished(record: JobRecord, situation: Situation) -> Do | None:
    if record.state is State.INTENDED:
        return Do.WAIT if is_under_way(record, situation.now) else Do.GIVE_UP_SUBMIT
    if record.state is State.UNKNOWN:
        return Do.REPORT
    if record.state in (State.ACCEPTED, State.SUCCEEDED, State.SURPLUS):
        return Do.WAIT if record.id in situation.busy else Do.RESUME
    return None


def _saved(record: JobRecord, situation: Situation) -> Do | None:
    """A video that was saved once and is not there whole: it costs nothing to fetch it again."""
    if record.state in (State.SAVED, State.EXPIRED) and situation.disk.get(record.id) is Disk.UNREADABLE:
        return Do.RAISE_UNREADABLE
    if record.state is State.SAVED:
        return Do.WAIT if record.id in situation.busy else Do.RESUME
    return None


def _ended(record: JobRecord, situation: Situation) -> Do | None:
    """What must be done about a job that has ended before its request may be bought again."""
    if record.id in situation.unread:
        return Do.REPORT
    cancelled = record.state is State.CANCELLED and situation.now - record.changed < RECHECK_SECONDS
    return Do.RECHECK if (cancelled or record.state is State.EXPIRED) and record.id not in situation.rechecked else None
