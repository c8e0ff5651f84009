"""Ids of accepted jobs that could not be written to the journal, kept until they can be: in memory and beside it."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .records import JobRecord, RequestKey, read_request
from .states import State


class UnwrittenIds:
    """May be used from any thread.

    Args:
        folder: where a file with a line of JSON per id is appended to, durably; files that dead processes have left are
            read at the first look. None: memory alone.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file = folder / f"accepted-{secrets.token_hex(4)}.txt" if folder else None
        self._lock = threading.RLock()
        self._waiting: list[tuple[JobRecord, str]] = []
        self._files: list[Path] | None = None
        """What the waiting ids are in, once that was looked up."""

    def add(self, record: JobRecord, request_id: str) -> None:
        """Keep an id. Never raises: where even the file cannot be written, memory has it."""
        with self._lock:
            self._waiting.append((record, request_id))
            if self._file:
                with suppress(OSError):
                    _append(self._file, _line(record, request_id))
                    self._files = [*(self._files or []), self._file]

    def write(self, accept: Callable[[JobRecord, str], object]) -> None:
        """Hand every id to ``accept``, and forget it then. Raises what ``accept`` does; what is left waits on."""
        with self._lock:
            if self._files is None:
                self._files = sorted(self._folder.glob("accepted-*.txt")) if self._folder else []
                self._waiting += [found for file in self._files for found in _read(file)]
            while self._waiting:
                accept(*self._waiting[0])
                del self._waiting[0]
            while self._files:
                with suppress(OSError):  # read once more by the next process, to which it is no news
                    self._files.pop().unlink(missing_ok=True)


def _append(file: Path, line: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(record: JobRecord, request_id: str) -> str:
    key = record.key
    kept = {
        "uid": record.uid,
        "request_id": request_id,
        "key": [key.request, key.account, key.origin],
        "run": record.run,
        "request": record.request.canonical() if record.request else "{}",
        "created": record.created,
    }
    return json.dumps(kept) + "\n"


def _read(file: Path) -> list[tuple[JobRecord, str]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):  # the end of a line that was cut off by a power cut
            kept = json.loads(line)
            record = JobRecord(
                *(0, kept["uid"], RequestKey(*kept["key"]), kept["run"], State.UNKNOWN, read_request(kept["request"])),
                created=kept["created"],
            )
            found.append((record, kept["request_id"]))
    return found
