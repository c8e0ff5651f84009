"""How much memory is left, on the machine and in the container around this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from .errors import NotEnoughMemory

SPARE: Final = 256 * 1024 * 1024
"""Bytes that are left alone, for everything else that goes on."""
FRAME_BYTES: Final = 12
"""Of a pixel of a frame: three float32."""
_PICTURES: Final = 20
"""That a decoder may hold: 16 that others refer to, and some on their way."""


def decoder_memory(pixels: int, *, plain: bool) -> int:
    """Bytes that it may take to decode pictures of so many pixels, before they are frames.

    Args:
        plain: whether a pixel takes a decoder a byte and a half, rather than up to six.
    """
    coded, converted = 1.5 if plain else 6, 4 * 3  # four buffers of blue, green and red
    return int(pixels * (_PICTURES * coded + converted))


def check_memory(need: int, frames: int, left: int | None = None, *, decoder: int = 0) -> None:
    """Make sure that ``frames`` frames of ``need`` bytes in all fit.

    Args:
        left: bytes that are free; asked of the system if not given.
        decoder: bytes that are needed beside the frames.

    Raises:
        NotEnoughMemory: with both figures and the ways out.
    """
    left = available_memory() if left is None else left
    if need + decoder + SPARE > left:
        raise not_enough(need, frames, left, decoder)


def not_enough(need: int, frames: int, left: int, decoder: int = 0) -> NotEnoughMemory:
    """The error for ``frames`` frames of ``need`` bytes in all, and a decoder, where ``left`` bytes are free."""
    fit = max(0, (left - SPARE - decoder) * frames // max(need, 1))
    return NotEnoughMemory(
        f"The {frames} frames need {(need + decoder) / 1e9:.1f} GB of memory, and {left / 1e9:.1f} GB are left.",
        f"Load fewer at a time with Load Seedance Video: frame_load_cap up to {max(fit, 1)}, or a higher "
        "select_every_nth. Its video output is the whole file whatever is loaded. Or generate at a lower resolution.",
    )


def available_memory() -> int:
    """Bytes that this process may still take without pushing anything out."""
    import psutil

    free = int(psutil.virtual_memory().available)
    return min([free, *container_memory(Path("/"))])


def container_memory(root: Path) -> Iterator[int]:
    """Bytes left under every limit that control groups set, version 1 or 2; none where there are no such groups.

    Args:
        root: where `proc` and `sys` are.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _left_in(root / "sys/fs/cgroup", path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left_in(root / "sys/fs/cgroup/memory", path, *names)


def _left_in(mount: Path, path: str, limit_file: str, usage_file: str, cache_name: str) -> Iterator[int]:
    """What is left in a group and in all the groups around it; inside a container only some of them can be seen."""
    group = PurePosixPath(path)
    for folder in (mount.joinpath(*part.parts[1:]) for part in (group, *group.parents)):
        try:
            limit = (folder / limit_file).read_text(encoding="utf-8")
            usage = (folder / usage_file).read_text(encoding="utf-8")
            stat = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="utf-8").splitlines())
        except (OSError, ValueError):
            continue
        if limit.strip().isdigit():
            # Cached files are given up before anything is killed.
            yield int(limit) - int(usage) + int(stat.get(cache_name, 0))
