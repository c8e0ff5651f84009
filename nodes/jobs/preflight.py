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

from ..texts import Text
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
    try:
        import av  # noqa: F401  only whether it loads
    except ImportError as error:
        raise CannotReceive(key="decoderMissing", reason=str(error)) from None
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
        is_too_long = sys.platform == "win32" and len(str(probe.absolute())) >= MAX_PATH
        reason = Text("errors.folderNotWritable.tooLong") if is_too_long else error.strerror or type(error).__name__
        raise CannotReceive(key="folderNotWritable", folder=str(folder), reason=reason) from None
    if free < ROOM:
        raise CannotReceive(
            key="driveFull", free=f"{free // 1_000_000}", folder=str(folder), needed=f"{ROOM // 1_000_000}"
        )


def _check_host(host: str) -> None:
    url = f"https://{host}/"
    if select_proxy(url, get_environ_proxies(url)):
        return  # which looks names up by itself
    try:
        with suppress(OSError):  # it leads nowhere just now, as RunComfy's own name would
            check_host(host)
    except UnsafeUrl as error:
        raise CannotReceive(key="hostUnusable", host=host, reason=error.message.rstrip(".")) from None
