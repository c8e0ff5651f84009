"""Where finished films are kept: as files in a folder of their own, of which only those last used stay."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

ROOM: Final = 64
"""Films; of 480p and 5 s, one has 0.4 MB. The clients of a long list fetch each soon after it is made."""
_PREFIX: Final = "seedance-rehearsal-"
_REMAINS: Final = 24 * 3600.0
"""Seconds in which nothing was made in a folder before it is taken for one that a killed process has left."""


@dataclass(frozen=True)
class CachedFile:
    """A film on disk. No descriptor is held for it."""

    path: Path
    size: int
    """Bytes."""
    etag: str
    """Names the content, in the quotes of the HTTP header."""

    @classmethod
    def of(cls, path: Path) -> CachedFile:
        """The film in a finished file."""
        content = path.read_bytes()
        return cls(path, len(content), f'"{hashlib.sha256(content).hexdigest()[:32]}"')


@dataclass(frozen=True)
class Film:
    """One that is being read."""

    cached: CachedFile
    file: BinaryIO

    def read(self, start: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``start`` on."""
        self.file.seek(start)
        return self.file.read(length)


class FileCache:
    """Films by their scenes' digests. For one thread at a time.

    The folder goes with `clear`, and with the interpreter. Others may take it away before: a cache that believes it
    left behind, or the system, which tidies up temporary folders after some days.
    """

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._reels: dict[str, CachedFile] = {}
        """The one last used is the last."""
        self._readers: Counter[CachedFile] = Counter()
        self._numbers = itertools.count()

    @property
    def is_read(self) -> bool:
        """Whether anybody has a film."""
        return self._readers.total() > 0

    def blank(self) -> Path:
        """Where a new film may be made: a name that nothing else has or gets."""
        if self._folder is None or not Path(self._folder.name).is_dir():
            self.clear()
            self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
            _clear_remains(Path(self._folder.name))
        return Path(self._folder.name) / f"{next(self._numbers)}.mp4"

    def put(self, digest: str, cached: CachedFile) -> None:
        """Keep a film, and drop those last used longest ago. Those that are being read stay, and may be too many."""
        # Windows deletes no file that is open.
        unread = [each for each, kept in self._reels.items() if not self._readers[kept]]
        for each in unread[: max(0, len(self._reels) + 1 - ROOM)]:
            with suppress(OSError):  # where a virus scanner has it open, it goes with the folder
                self._reels.pop(each).path.unlink()
        self._reels[digest] = cached

    def __contains__(self, digest: str) -> bool:
        return digest in self._reels

    def borrow(self, digest: str) -> Film | None:
        """A film to read, until `give_back`; None if it is not there (any more)."""
        cached = self._reels.get(digest)
        if cached is None:
            return None
        try:
            file = cached.path.open("rb")
        except FileNotFoundError:
            del self._reels[digest]
            return None
        self._reels[digest] = self._reels.pop(digest)
        self._readers[cached] += 1
        return Film(cached, file)

    def give_back(self, film: Film) -> None:
        """Say that a film is read."""
        film.file.close()
        self._readers -= Counter([film.cached])

    def clear(self) -> None:
        """Delete everything."""
        self._reels.clear()
        if self._folder is not None:
            self._folder.cleanup()


def _clear_remains(fresh: Path) -> None:
    """Delete the folders of processes that were killed. Should one be in use after all, its films are made again."""
    now = fresh.stat().st_mtime
    for folder in fresh.parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.lstat().st_mtime < now - _REMAINS:
                shutil.rmtree(folder)
