"""A pytest plugin that is as strict about open files as Windows is: none can be removed, replaced or renamed.

Loaded with `-p tests.support.strict_files`, on Linux, where /proc tells which files this process has open.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

OPEN_FILES = Path("/proc/self/fd")
WATCHED = ("os.remove", "os.rename")
"""`os.replace` and `Path.unlink` report under these names, too."""


def refuse_open_files(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: raises PermissionError as Windows would."""
    if event not in WATCHED:
        return
    names = [os.path.realpath(name) for name in arguments[:2] if isinstance(name, str | bytes | os.PathLike)]
    for handle in os.listdir(OPEN_FILES):  # noqa: PTH208 - a Path of each would be made for every file
        try:
            if os.readlink(OPEN_FILES / handle) in names:  # noqa: PTH115 - it reports what is deleted as such
                raise PermissionError(13, "The process cannot access the file because it is being used", names[0])
        except FileNotFoundError:
            continue


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what Windows cannot do anyway: those tests are skipped there."""
    items[:] = [
        item for item in items if not any("open files" in str(mark.kwargs) for mark in item.iter_markers("skipif"))
    ]


sys.addaudithook(refuse_open_files)
