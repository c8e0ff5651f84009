"""The content of a finished file, kept on disk without a name."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from pathlib import Path


class Reel:
    """A copy of a file's bytes, for several readers at once.

    It has no name in any folder, so that the system takes it away even when the process is killed.
    """

    def __init__(self, source: Path) -> None:
        content = source.read_bytes()
        self.size = len(content)
        """Bytes."""
        self.etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        """Names the content, in the quotes of the HTTP header."""
        self._lock = threading.Lock()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the reel is of use
        self._file.write(content)

    @property
    def closed(self) -> bool:
        """Whether it is gone."""
        return self._file.closed

    def read(self, start: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``start`` on. Raises `ValueError` once it is closed."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(length)

    def close(self) -> None:
        """Give up the content and its space on disk."""
        with self._lock:
            self._file.close()
