"""As strict about open files as Windows is: none can be removed, replaced or renamed. On Linux, by what /proc lists.

And what a scanner, a cloud drive or a player does there: it holds a file for a while.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

OPEN_FILES = Path("/proc/self/fd")
IN_USE = "The process cannot access the file because it is being used"
WATCHED = ("os.remove", "os.rename")
"""`os.replace` and `Path.unlink` report under these names, too."""


class StrictFiles:
    """Adds its audit hook, which nothing removes, when it is entered for the first time.

    Args:
        folder: what lies elsewhere is no file of a test's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder.resolve()}{os.sep}"
        self._is_on = False
        self._is_added = False

    @contextmanager
    def strict(self) -> Iterator[None]:
        """Raise PermissionError, as Windows would, until the end of the block."""
        if not self._is_added and OPEN_FILES.is_dir():
            sys.addaudithook(self._check)
            self._is_added = True
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False

    def _check(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._is_on or event not in WATCHED:
            return
        names = [os.path.realpath(name) for name in arguments[:2] if isinstance(name, str | bytes | os.PathLike)]
        for handle in os.listdir(OPEN_FILES):  # noqa: PTH208 - a Path of each would be made for every file
            try:
                found = os.readlink(OPEN_FILES / handle)  # noqa: PTH115 - it reports what is deleted as such
            except FileNotFoundError:
                continue
            if found in names and found.startswith(self._folder):
                raise PermissionError(13, IN_USE, found)


def held(monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
    """Let the first calls of a method of `Path` fail as Windows lets them while somebody else holds the file."""
    real: Callable[..., Any] = getattr(Path, name)
    left = [times]

    def method(self: Path, *args: Any, **options: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, IN_USE, str(self))
        return real(self, *args, **options)

    monkeypatch.setattr(Path, name, method)
