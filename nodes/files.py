"""File operations that do the same on every system, also while a virus scanner or a player holds a file open; and the
names of this pack's folders."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

VIDEO_FOLDER: Final = "seedance"
"""Inside ComfyUI's output folder: the finished videos."""
REHEARSAL_FOLDER: Final = "rehearsal"
"""Inside that one: those of rehearsals."""
PRIVATE_FOLDER: Final = "__seedance"
"""Inside ComfyUI's user folder. What begins with two underscores, ComfyUI serves to no browser."""

Wait = Callable[[float], object]
"""Lets so many seconds pass."""

PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
"""Seconds between attempts; on Windows a scanner, a reader or a cloud drive holds a file for about so long."""


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def replace(source: Path, target: Path, wait: Wait = pause) -> None:
    """Rename a file, replacing one that may be there. Raises OSError; both are then as they were."""
    patiently(lambda: source.replace(target), wait)
    if hasattr(os, "O_DIRECTORY"):
        # So that the new name survives a power cut. Some network drives cannot do this; the file is renamed anyway.
        with suppress(OSError):
            folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def remove(file: Path, wait: Wait = pause) -> None:
    """Delete a file if it is there. Raises OSError."""
    patiently(lambda: file.unlink(missing_ok=True), wait)


def write_private(text: str, file: Path, wait: Wait = pause) -> None:
    """Write a file that only its owner may read, in place of the one before, or leave that as it is. Raises OSError."""
    # Not by `tempfile`, which on Windows takes a folder that allows no new files for one in which all names are taken.
    unfinished = file.with_name(f".{file.name}-{secrets.token_hex(8)}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode())
            sync(stream)
        replace(unfinished, file, wait)
    except BaseException:
        remove(unfinished, wait)
        raise


def remove_private(file: Path) -> None:
    """Delete what `write_private` has written, and what a crash may have left of that. Raises OSError."""
    for found in (file, *file.parent.glob(f".{file.name}-*")):
        remove(found)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, where the system has such modes. Raises OSError."""
    # On Windows a mode of 0o700 would lock out all but the account that makes the folder, perhaps an administrator's.
    has_modes = sys.platform != "win32"
    folder.mkdir(0o700 if has_modes else 0o777, parents=True, exist_ok=True)
    if has_modes:
        with suppress(OSError):  # a folder that is somebody else's, or on a file system without modes
            folder.chmod(0o700)


def sync(file: IO[bytes]) -> None:
    """Make sure that a file's content survives a power cut. Raises OSError."""
    file.flush()
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # a drive that does not know it
            fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
            return
    os.fsync(file.fileno())


def is_missing(file: Path) -> bool:
    """Whether a file is certainly not there: the nearest folder above that can be listed does not have it.

    Otherwise, as with a drive that is away or a file that may not be looked at, it may still be there.
    """
    for place in (file, *file.parents[:-1]):
        try:
            return all(found.name != place.name for found in place.parent.iterdir())
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return False


def patiently(work: Callable[[], object], wait: Wait) -> None:
    """Do ``work`` on a file, again for a while if another program holds it. Raises what ``work`` raises."""
    for seconds in PAUSES:
        with suppress(PermissionError):
            work()
            return
        wait(seconds)
    work()
