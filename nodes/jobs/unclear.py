"""What a user may do about a job whose submit call ended unclearly: say which one it became, or submit it again."""

from __future__ import annotations

from .account import Account, Reports
from .decide import is_under_way
from .errors import NotUnclear, OtherJobsId
from .journal import Journal
from .records import JobRecord, State


def link(account: Account, number: int, request_id: str) -> None:
    """Give a job the id that the user has found for it at RunComfy. Blocks.

    Raises:
        NotUnclear: what became of the job is known by now.
        OtherJobsId: the journal has that id already.
        RunComfyError: RunComfy does not know the id, or cannot be asked.
    """
    record = _unclear(account.journal, number)
    if account.journal.job(request_id):
        raise OtherJobsId(request_id)
    account.client.status(request_id)
    if account.journal.accept(record, request_id).request_id != request_id:
        raise OtherJobsId(request_id)


def submit_again(journal: Journal, reports: Reports, number: int, queued: frozenset[str]) -> None:
    """Note that the user has read of the unclear outcome: what is queued from now on buys the video again. Blocks.

    Args:
        queued: the prompts that are running or waiting now, which were queued before.

    Raises:
        NotUnclear: what became of the job is known by now.
    """
    record = _unclear(journal, number)
    moved = journal.transition(record, State.UNKNOWN_REPORTED, reported_by=reports.server)
    if moved.state is not State.UNKNOWN_REPORTED:
        raise NotUnclear
    reports.add(moved, queued)


def _unclear(journal: Journal, number: int) -> JobRecord:
    record = journal.row(number)
    if record and record.state is State.INTENDED and not is_under_way(record, journal.now()):
        record = journal.transition(record, State.UNKNOWN)
    if record is None or record.state not in (State.UNKNOWN, State.UNKNOWN_REPORTED):
        raise NotUnclear
    return record
