"""What could not be written to the journal, kept until it can be: in memory and, of ids of accepted jobs, in files."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ..files import private_folder, remove, write_private
from .records import JobRecord, RequestKey, State, read_request


class PendingWrites:
    """May be used from any thread.

    Args:
        folder: where each id is kept in a file of its own, durably, so that any process can write it down if this one
            dies. None: memory alone.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._ids: list[tuple[JobRecord, str]] = []
        self._changes: list[tuple[JobRecord, State, Mapping[str, object]]] = []

    def __bool__(self) -> bool:
        return bool(self._ids or self._changes)

    def add(self, record: JobRecord, request_id: str) -> None:
        """Keep an id. Never raises: where even the file cannot be written, memory has it."""
        with self._lock:
            self._ids.append((record, request_id))
        if self._folder:
            with suppress(OSError):
                private_folder(self._folder)  # it has nothing else in it where the journal is elsewhere
                write_private(_text(record, request_id), self._folder / f"accepted-{record.uid}.json")

    def add_change(self, record: JobRecord, to: State, changes: Mapping[str, object]) -> None:
        """Keep how a job moved on. A process that dies loses it, but never the id, by which it is found out again."""
        if record.request_id:
            self.add(record, record.request_id)
        with self._lock:
            self._changes.append((record, to, changes))

    def write(
        self,
        accept: Callable[[JobRecord, str], object],
        move: Callable[[JobRecord, State, Mapping[str, object]], object],
        *,
        left_by_others: bool,
    ) -> None:
        """Hand every id and then every change on, in their order, and forget it then. Raises what that raises; what is
        left waits on.

        Args:
            left_by_others: whether to look at the folder, too, for what another process could not write.
        """
        if not (left_by_others or self):
            return
        for file in self._folder.glob("accepted-*.json") if self._folder else ():
            if found := _read(file):
                accept(*found)
                with suppress(OSError):  # handed in once more next time, to which it is no news
                    remove(file)
        with self._lock:
            while self._ids:
                accept(*self._ids[0])
                del self._ids[0]
            while self._changes:
                move(*self._changes[0])
                del self._changes[0]


def _text(record: JobRecord, request_id: str) -> str:
    key = record.key
    kept = {
        "uid": record.uid,
        "request_id": request_id,
        "key": [key.request, key.account, key.origin],
        "run": record.run,
        "request": record.request.canonical() if record.request else "{}",
        "created": record.created,
    }
    return json.dumps(kept)


def _read(file: Path) -> tuple[JobRecord, str] | None:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        key, request = RequestKey(*kept["key"]), read_request(kept["request"])
        record = JobRecord(0, kept["uid"], key, kept["run"], State.UNKNOWN, request, created=kept["created"])
        return record, kept["request_id"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # another process has handed it in by now, or somebody else wrote it
