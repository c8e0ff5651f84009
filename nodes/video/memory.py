"""How much memory is left, on the machine and in the container around this process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from .errors import NotEnoughMemory

if TYPE_CHECKING:
    import torch

SPARE: Final = 256 * 1024 * 1024
"""Bytes that are left alone, for the decoder and everything else that goes on."""


def allocate(shape: tuple[int, ...], file: Path) -> torch.Tensor:
    """An uninitialised float32 tensor for frames of a file, [frames, height, width, 3].

    Raises:
        NotEnoughMemory: with both figures and the ways out; nothing was allocated.
    """
    import torch

    check_memory(math.prod(shape) * 4, shape[0], file)
    # Not np.empty, which asks for huge pages that are slow to touch first.
    try:
        return torch.empty(shape, dtype=torch.float32)
    except RuntimeError as error:
        # The system has less to give than it said.
        raise _not_enough(math.prod(shape) * 4, shape[0], 0, file) from error


def check_memory(need: int, frames: int, file: Path, left: int | None = None) -> None:
    """Make sure that ``frames`` frames of ``need`` bytes in all fit.

    Args:
        left: bytes that are free; asked of the system if not given.

    Raises:
        NotEnoughMemory: with both figures and the ways out.
    """
    left = available_memory() if left is None else left
    if need + SPARE > left:
        raise _not_enough(need, frames, left, file)


def _not_enough(need: int, frames: int, left: int, file: Path) -> NotEnoughMemory:
    fit = max(1, (left - SPARE) * frames // max(need, 1))
    return NotEnoughMemory(
        f"The {frames} frames need {need / 1e9:.1f} GB of memory, and {left / 1e9:.1f} GB are left.",
        f"Load fewer at a time with Load Seedance Video: frame_load_cap up to {fit}, or a higher "
        "select_every_nth. Its video output is the whole file whatever is loaded. Or generate at a lower resolution. "
        f"Nothing is lost: the video is {file}.",
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
