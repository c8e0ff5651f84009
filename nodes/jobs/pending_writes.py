"""What could not be written to the journal, kept until it can be: in memory and, of ids of accepted jobs, in files."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy.exc import IntegrityError

from .. import files
from ..runcomfy.request import is_request_id
from .errors import ChangeRefused
from .records import JobRecord, RequestKey, State, read_request

_log: Final = logging.getLogger("seedance")


class PendingWrites:
    """May be used from any thread."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        """Where each id is kept in a file of its own, durably, so that any process can write it down if this one dies.
        None: memory alone."""
        self._lock = threading.Lock()
        self._writes: list[tuple[JobRecord, Callable[[], object]]] = []

    def __bool__(self) -> bool:
        return bool(self._writes)

    def add(self, record: JobRecord, write: Callable[[], object]) -> None:
        """Keep what is to be written about a record; a process that dies loses it."""
        with self._lock:
            self._writes.append((record, write))

    def keep_id(self, record: JobRecord, request_id: str) -> None:
        """Keep an id in a file. Never raises: where even that cannot be written, memory has it."""
        if self._folder:
            with suppress(OSError):
                files.make_private_folder(self._folder)  # it has nothing else in it where the journal is elsewhere
                files.write_private(_text(record, request_id), self._folder / f"accepted-{record.uid}.json")

    def write(self, accept: Callable[[JobRecord, str], object], *, left_by_others: bool) -> None:
        """Write everything, in its order, and forget it then; by ``accept`` ids, too, that another process has left.
        What the database refuses for good is set aside, so that nothing waits behind it: it goes to the log, and a file
        with an id stays under another name.

        Raises `JournalUnusable` where nothing can be written now; what is left waits on.
        """
        if not (left_by_others or self):
            return
        for file in self._files():
            if found := _read(file):
                is_written = _try(*found, partial(accept, *found))
                with suppress(OSError):  # handed in once more next time, to which it is no news
                    files.remove(file) if is_written else files.replace(file, file.with_name(f"refused-{file.name}"))
        with self._lock:
            while self._writes:
                record, write = self._writes[0]
                _try(record, record.request_id, write)
                del self._writes[0]

    def _files(self) -> list[Path]:
        """Of ids; none where their folder cannot be listed just now."""
        with suppress(OSError):
            return list(self._folder.glob("accepted-*.json")) if self._folder else []
        return []


def _try(record: JobRecord, request_id: str, write: Callable[[], object]) -> bool:
    """Write; False where the database refuses that for good."""
    try:
        write()
    except (ChangeRefused, IntegrityError) as error:
        # Escaped: what a database refuses may be what a terminal refuses, too.
        refused = "The journal cannot hold what became of job %a, request id %a; it is left out: %a"
        _log.error(refused, record.uid, request_id, str(error))
        return False
    return True


def _text(record: JobRecord, request_id: str) -> str:
    request = record.request.canonical() if record.request else "{}"
    kept = {"uid": record.uid, "request_id": request_id, "key": astuple(record.key), "run": record.run}
    return json.dumps({**kept, "request": request, "created": record.created, "estimate": record.estimate})


def _read(file: Path) -> tuple[JobRecord, str] | None:
    """None where another process has handed it in by now, or somebody else wrote it."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(file.read_text(encoding="utf-8"))
        uid, run, key, request_id = kept["uid"], kept["run"], kept["key"], kept["request_id"]
        record = JobRecord(0, uid, RequestKey(*key), run, State.UNKNOWN, read_request(kept["request"]))
        record = replace(record, created=float(kept["created"]), estimate=kept.get("estimate"))
        is_estimate = isinstance(record.estimate, int | None)
        if is_estimate and is_request_id(request_id) and all(isinstance(word, str) for word in (uid, run, *key)):
            return record, request_id
    return None
