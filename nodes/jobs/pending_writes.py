"""What could not be written to the journal, kept until it can be: in memory and, of ids of accepted jobs, in files."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import IntegrityError

from .. import files
from ..runcomfy.request import is_request_id
from .errors import ChangeRefused
from .records import JobRecord, RequestKey, State, read_request

_log: Final = logging.getLogger("seedance")

Write = Callable[[JobRecord, State | None, Mapping[str, object]], object]
"""Writes the id of a record, if it has one, and then what state it came to, if any, with changes to its other columns.
Raises `JournalUnusable`."""


class PendingWrites:
    """May be used from any thread."""

    def __init__(self, folder: Path | None, write: Write) -> None:
        self._folder = folder
        """Where each id is kept durably in a file of its own, so that any process can write it if this one dies. None:
        only memory."""
        self._write = write
        self._lock = threading.Lock()
        self._writes: list[tuple[JobRecord, State | None, Mapping[str, object]]] = []

    def add(self, record: JobRecord, to: State | None, changes: Mapping[str, object]) -> None:
        """Keep what is to be written about a record. It is lost if the process dies, except an id, by which the rest
        can be asked for again. Never raises: if no file can be written, the id is in memory."""
        if record.request_id and self._folder:
            with suppress(OSError):
                files.make_private_folder(self._folder)  # it has nothing else in it where the journal is elsewhere
                files.write_private(_to_json(record), self._folder / f"accepted-{record.uid}.json")
        with self._lock:  # which may take as long as the database is silent
            self._writes.append((record, to, changes))

    def write(self) -> None:
        """Write everything, in its order, and forget it then; ids, too, that a process which died has left. What the
        database refuses for good is set aside, so that nothing waits behind it: it goes to the log, and a file with an
        id stays under another name.

        Raises `JournalUnusable` where nothing can be written now; what is left waits on.
        """
        for file in self._id_files():
            if record := _from_file(file):
                is_written = self._try_write(record, None, {})
                with suppress(OSError):  # else written once more next time, which changes nothing
                    files.remove(file) if is_written else files.replace(file, file.with_name(f"refused-{file.name}"))
        with self._lock:
            while self._writes:
                self._try_write(*self._writes[0])
                del self._writes[0]

    def _id_files(self) -> list[Path]:
        """The files with ids; none if their folder cannot be listed just now."""
        with suppress(OSError):
            return list(self._folder.glob("accepted-*.json")) if self._folder else []
        return []

    def _try_write(self, record: JobRecord, to: State | None, changes: Mapping[str, object]) -> bool:
        """Write; False where the database refuses that for good."""
        try:
            self._write(record, to, changes)
        except (ChangeRefused, IntegrityError) as error:
            # Escaped: what a database refuses may be what a terminal refuses, too.
            refused = "The journal cannot hold what became of job %a, request id %a; it is left out: %a"
            _log.error(refused, record.uid, record.request_id, str(error))
            return False
        return True


class _KeptId(BaseModel):
    """What is in a file of an id."""

    model_config = ConfigDict(strict=True)

    uid: str
    request_id: str
    key: tuple[str, str, str]
    run: str
    request: str
    created: float
    estimate: int | None = None


def _to_json(record: JobRecord) -> str:
    request = record.request.canonical() if record.request else "{}"
    same = {name: getattr(record, name) for name in ("uid", "request_id", "run", "created", "estimate")}
    return _KeptId(**same, key=astuple(record.key), request=request).model_dump_json()


def _from_file(file: Path) -> JobRecord | None:
    """The record in a file; None if another process has taken the file by now, or it is no file of ours."""
    with suppress(OSError, ValueError):
        kept = _KeptId.model_validate_json(file.read_bytes())
        if is_request_id(kept.request_id):
            same = kept.model_dump(exclude={"key", "request"})
            key, request = RequestKey(*kept.key), read_request(kept.request)
            return JobRecord(id=0, key=key, state=State.UNKNOWN, request=request, **same)
    return None
