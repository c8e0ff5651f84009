"""Who is at work on a job: one run at a time, over all threads, processes and servers that share a journal.

A claim is a name and a time in the job's row; a thread extends the time as long as the run lives. Only the claimant
polls, downloads and cancels; other runs of the same request wait and watch the row.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import psutil
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from ..files import make_private_folder, write_private
from .errors import JournalUnusable
from .journal import Journal
from .records import CLAIM_SECONDS, JobRecord, hash_of
from .tables import JOBS, WAITING, add_waiting, find, is_current, remove_waiting

RENEW_SECONDS: Final = 10.0


class Claims:
    """What the runs of this process have claimed in one journal. May be used from any thread.

    Every method raises `JournalUnusable`.
    """

    def __init__(self, journal: Journal, renew_seconds: float = RENEW_SECONDS) -> None:
        self.journal = journal
        self._renew_seconds = renew_seconds
        self._host = _host()
        self._process = f"{self._host}|{os.getpid()}|{secrets.token_hex(4)}"
        self._lock = threading.Lock()
        self._runs: dict[str, Callable[[], bool]] = {}
        """The runs that go on, and whether each is stopped."""
        self._certain_until: dict[str, float] = {}
        """Until when a run's claims certainly hold, by the clock that counts sleep."""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep_renewing, name="seedance-claims", daemon=True)
        """Started by the first run."""

    def register(self, is_stopped: Callable[[], bool]) -> str:
        """Register a run, until `unregister`. Returns the name under which it claims."""
        owner = f"{self._process}|{secrets.token_hex(4)}"
        with self._lock:
            self._runs[owner] = is_stopped
            if self._thread.ident is None:
                self._thread.start()
        return owner

    def unregister(self, owner: str) -> None:
        """End a run. What it has claimed is free for this process at once; `release` frees it for all."""
        with self._lock:
            self._runs.pop(owner, None)
            self._certain_until.pop(owner, None)

    def note_claimed(self, owner: str, since: float) -> None:
        """Note that a run has claimed a job, by a transaction that began then by the clock that counts sleep."""
        with self._lock:
            if owner in self._runs:
                self._certain_until[owner] = since + CLAIM_SECONDS

    def certainly_holds(self, owner: str) -> bool:
        """Whether a run's claims certainly still hold, as far as can be known without the database."""
        return self.journal.clock.with_sleep() < self._certain_until.get(owner, 0.0)

    def release(self, owner: str) -> None:
        """Free whatever a run has claimed. Where that cannot be written, it is free in half a minute by itself."""

        def write(connection: Connection) -> None:
            connection.execute(update(JOBS).where(JOBS.c.claim_owner == owner).values(claim_owner="", claim_until=0))
            remove_waiting(connection, owner)

        self.journal.database.transact(write)

    def acquire(self, record: JobRecord, owner: str, run_key: str = "") -> JobRecord | None:
        """Claim a job. Returns its record as it is then, or None if another run has claimed or changed it. With
        ``run_key``, the job belongs to that run from now on, and no other run gets its video."""
        if not record.id:
            return record
        if not self.is_free(record):
            return None

        def write(connection: Connection) -> JobRecord | None:
            mine = JOBS.c.id == record.id
            same = mine & (JOBS.c.claim_owner == record.claim_owner) & (JOBS.c.state == record.state)
            until = self.journal.now() + CLAIM_SECONDS
            claim = update(JOBS).where(same).values(claim_owner=owner, claim_until=until, run=run_key or record.run)
            if connection.execute(claim).rowcount != 1:
                return None
            remove_waiting(connection, owner)
            return find(connection, mine)

        since = self.journal.clock.with_sleep()
        try:
            taken = self.journal.database.transact(write)
        except IntegrityError:  # the run has another unfinished job by now
            return None
        if taken:
            self.note_claimed(owner, since)
        return taken

    def is_free(self, record: JobRecord) -> bool:
        """Whether nobody is at work on a job, as far as its record tells."""
        owner, left = record.claim_owner, record.claim_until - self.journal.now()
        if not owner or not self._is_alive(owner):
            return True
        # A claim that ends later than any made now was made before the clock was set back.
        return owner not in self._runs and not 0 < left <= 2 * CLAIM_SECONDS

    def holds(self, record: JobRecord, owner: str) -> bool:
        """Whether a run's claim on a job still holds: it may have lapsed while the machine slept.

        True also if the journal no longer knows the job: its file was replaced, so nobody else can have it.
        """
        rows = self.journal.newest(1, JOBS.c.uid == record.uid) if record.id else []
        return all(row.claim_owner == owner for row in rows)

    def await_job(self, record: JobRecord, owner: str) -> None:
        """Note that a run waits for a job that another has claimed."""
        transact, now = self.journal.database.transact, self.journal.now
        transact(lambda connection: add_waiting(connection, owner, now(), job=record.id))

    def is_awaited(self, record: JobRecord) -> bool:
        """Whether a living run that is not stopped itself waits for a job."""
        waiting = (WAITING.c.job == record.id) & is_current(WAITING.c.until, self.journal.now())
        owners = self.journal.database.read(
            lambda connection: connection.execute(select(WAITING.c.owner).where(waiting)).scalars().all()
        )
        # Whether it lives is asked last: it may end meanwhile.
        return any(not self._runs.get(owner, lambda: False)() and self._is_alive(owner) for owner in owners)

    def renew(self) -> None:
        """Extend the claims of all runs, and write what could not be written before."""
        with self._lock:
            runs, since = list(self._runs), self.journal.clock.with_sleep()
        if runs:
            self.journal.database.transact(partial(self._extend, runs))
        # A claim that had lapsed may be another run's by now.
        for owner in filter(self.certainly_holds, runs):
            self.note_claimed(owner, since)
        self.journal.pending.write()

    def close(self) -> None:
        """End the thread; what is claimed lapses."""
        self._closed.set()

    def _is_alive(self, owner: str) -> bool:
        """Whether a run may still be at work: not if it, or its process on this very host, has ended."""
        if owner.startswith(f"{self._process}|"):
            return owner in self._runs
        host, pid, *_ = owner.split("|")
        return host != self._host or psutil.pid_exists(int(pid))

    def _keep_renewing(self) -> None:
        while not self._closed.wait(self._renew_seconds):
            with suppress(JournalUnusable):  # the claims hold for two more tries
                self.renew()

    def _extend(self, runs: list[str], connection: Connection) -> None:
        until = self.journal.now() + CLAIM_SECONDS
        connection.execute(update(JOBS).where(JOBS.c.claim_owner.in_(runs)).values(claim_until=until))
        connection.execute(update(WAITING).where(WAITING.c.owner.in_(runs)).values(until=until))


def _host() -> str:
    """Within what a process id is unique: this machine since its start, or this container on it."""
    known = [socket.gethostname(), f"{uuid.getnode():x}"]
    with suppress(OSError):  # Linux alone has them; names and addresses of containers may be the same on many machines
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        known.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return hash_of(*known)[:16]


def server_id(folder: Path) -> str:
    """A random name, kept in a folder: it tells servers apart, even containers and clones with all else the same.

    If it cannot be kept, the next one differs, and what this server has reported is reported once more.
    """
    file, name = folder / "server", secrets.token_hex(8)
    with suppress(OSError, UnicodeError):
        with suppress(FileNotFoundError):
            return file.read_text(encoding="ascii")[:32]
        make_private_folder(folder)
        write_private(name, file)
    return name
