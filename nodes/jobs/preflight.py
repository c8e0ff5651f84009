"""What would keep a video from arriving, found before money is spent on it."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from requests.utils import get_environ_proxies, select_proxy

from ..video.errors import UnsafeUrl
from ..video.url_policy import check_host
from .errors import CannotReceive
from .file_names import MAX_NAME

ROOM: Final = 200_000_000
"""Bytes that have to be free; the largest videos of this model have a tenth of it."""
MAX_PATH: Final = 260
"""Characters of a path, with the NUL behind it, unless long ones are switched on in Windows."""


def check_before_submit(folder: Path, hosts: Iterable[str]) -> None:
    """Make sure that a video could be fetched, written and read. Blocks for milliseconds.

    Args:
        folder: where it would go.
        hosts: where the latest videos came from.

    Raises:
        CannotReceive: what is in the way, and how it is removed.
    """
    _check_folder(folder)
    _check_decoder()
    for host in hosts:
        _check_host(host)


def _check_folder(folder: Path) -> None:
    # As long a name as an unfinished download may have, since Windows limits the whole path.
    probe = folder / f".{'x' * MAX_NAME}.{secrets.token_hex(4)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        too_long = sys.platform == "win32" and len(str(probe.absolute())) >= MAX_PATH
        reason = "its path is longer than Windows allows" if too_long else error.strerror
        raise CannotReceive(
            f"The video could not be saved: {folder} cannot be written to ({reason}).",
            "Make it writable, bring its drive back or free some space on it, or start ComfyUI with --output-directory "
            "on another one; then run again.",
        ) from None
    if free < ROOM:
        raise CannotReceive(
            f"The video might not fit on its drive: {free / 1e6:.0f} MB are free at {folder}.",
            f"Free {ROOM / 1e6:.0f} MB and run again.",
        )


def _check_host(host: str) -> None:
    url = f"https://{host}/"
    if select_proxy(url, get_environ_proxies(url)):
        return  # which looks names up by itself
    try:
        with suppress(OSError):  # it leads nowhere just now, as RunComfy's own name would
            check_host(host)
    except UnsafeUrl as error:
        reason = error.message.rstrip(".")
        raise CannotReceive(
            f"The last video came from {host}, from where nothing can be fetched now ({reason}).",
            "Check the proxy, VPN or DNS of this machine, and run again.",
        ) from None


def _check_decoder() -> None:
    try:
        import av  # noqa: F401  only whether it loads
    except ImportError as error:
        raise CannotReceive(
            f"The video could not be read: PyAV cannot be loaded ({error}).",
            "Repair it with ComfyUI's Python: pip install --force-reinstall --no-deps av",
        ) from None
