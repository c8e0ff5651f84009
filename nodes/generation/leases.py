"""One run at a time per request, across the threads and processes that share a journal.

A lease is a row that names its owner. Each process owns one lock file, which the operating system lets go when the
process dies, however it dies; so a dead owner's leases are known to be free without clocks or heartbeats.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from filelock import FileLock, Timeout

from .journal import Journal


class Leases:
    """The leases that this process takes in one journal.

    Args:
        folder: where the processes' lock files are; None for a journal that no other process shares.
    """

    def __init__(self, journal: Journal, folder: Path | None) -> None:
        self._journal = journal
        self._folder = folder
        self._owner = secrets.token_hex(8)
        self._alive: FileLock | None = None

    def take(self, fingerprint: str) -> bool:
        """Take the lease unless a living run has it. Raises `JournalUnusable`."""
        self._show_life()
        with self._journal.writing() as database:
            row = database.execute("SELECT owner FROM leases WHERE fingerprint = ?", (fingerprint,)).fetchone()
            if row and not self._is_dead(row[0]):
                return False
            database.execute("INSERT OR REPLACE INTO leases VALUES (?, ?)", (fingerprint, self._owner))
            return True

    def release(self, fingerprint: str) -> None:
        """Give a lease back. Raises `JournalUnusable`."""
        with self._journal.writing() as database:
            database.execute("DELETE FROM leases WHERE fingerprint = ? AND owner = ?", (fingerprint, self._owner))

    def _show_life(self) -> None:
        if self._folder and not self._alive:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._alive = _lock(self._folder, self._owner)
            self._alive.acquire(blocking=False)

    def _is_dead(self, owner: str) -> bool:
        if owner == self._owner or not self._folder:
            return False
        lock = _lock(self._folder, owner)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)
        return True


def _lock(folder: Path, owner: str) -> FileLock:
    return FileLock(folder / f"{owner}.lock", is_singleton=False, thread_local=False)
