"""One run at a time per request, across the threads and processes that share a journal.

A lease is a row that names its owner. Each process owns one lock file, which the operating system lets go when the
process dies, however it dies; so a dead owner's claims are known to be free without clocks or heartbeats.
"""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from .errors import JournalUnusable
from .journal import Journal

OLD_AFTER: Final = 86400.0
"""Seconds after which a lock file that nobody holds is a dead process'."""


class Claims:
    """The claims that this process takes in one journal.

    Args:
        folder: where the processes' lock files are; None for a journal that no other process shares.
    """

    def __init__(self, journal: Journal, folder: Path | None) -> None:
        self._journal = journal
        self._folder = folder
        self._owner = secrets.token_hex(8)
        self._alive: FileLock | None = None
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def acquire(self, fingerprint: str) -> bool:
        """Take the lease unless a living run has it. Raises `JournalUnusable`."""
        self._show_life()
        with self._journal.writing() as database:
            row = database.execute("SELECT owner FROM leases WHERE fingerprint = ?", (fingerprint,)).fetchone()
            if row and not self._is_free(fingerprint, row[0]):
                return False
            database.execute("INSERT OR REPLACE INTO leases VALUES (?, ?)", (fingerprint, self._owner))
            self._held.add(fingerprint)
            return True

    def release(self, fingerprint: str) -> None:
        """Give a lease back. Raises `JournalUnusable`."""
        try:
            with self._journal.writing() as database:
                # While the file is ours: later it would undo what the next run of this process has taken.
                self._held.discard(fingerprint)
                database.execute("DELETE FROM leases WHERE fingerprint = ? AND owner = ?", (fingerprint, self._owner))
        except JournalUnusable:
            # The row stays; this process must not wait for itself for ever.
            self._held.discard(fingerprint)
            raise

    def _show_life(self) -> None:
        # Runs begin side by side; the second must not replace the first one's lock.
        with self._lock:
            if not self._folder or self._alive:
                return
            try:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                alive = _lock(self._folder, self._owner)
                alive.acquire(timeout=0)
            except OSError as error:
                raise JournalUnusable(str(self._folder), str(error)) from error
            self._alive = alive
            _sweep(self._folder, Path(alive.lock_file))

    def _is_free(self, fingerprint: str, owner: str) -> bool:
        if owner == self._owner:
            return fingerprint not in self._held
        if not self._folder:
            return False
        return _remove_if_dead(_lock(self._folder, owner))


def _sweep(folder: Path, own: Path) -> None:
    """Remove what dead processes have left. Not their young ones: one may just be about to lock its file."""
    for left in folder.glob("*.lock"):
        with suppress(OSError):
            if own.stat().st_mtime - left.stat().st_mtime > OLD_AFTER:
                _remove_if_dead(_lock(folder, left.stem))


def _remove_if_dead(lock: FileLock) -> bool:
    """Whether nobody holds a process' lock file any more, in which case it goes."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    with suppress(OSError):  # on Windows a virus scanner may just look at it
        Path(lock.lock_file).unlink(missing_ok=True)
    return True


def _lock(folder: Path, owner: str) -> FileLock:
    # PyTorch brings filelock, whichever it finds: nothing here that only the newest know. Held by the process, not by a
    # thread: newer ones look after the locks of threads while Python collects garbage, and may wait there for ever.
    return FileLock(str(folder / f"{owner}.lock"), thread_local=False)
