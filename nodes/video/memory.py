"""The memory for a clip, if there is enough of it on the machine and in the container around this process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import torch

from .errors import NotEnoughMemory

SPARE: Final = 256 * 1024 * 1024
"""Bytes that are left alone, for the decoder and everything else that goes on."""
_VERSION_1: Final = ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_VERSION_2: Final = ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file")
"""Where control groups are, their files with the limit and the usage, and the cached files in `memory.stat`."""


def allocate(shape: tuple[int, ...], file: Path, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """An uninitialised tensor for frames of a file, [frames, height, width, 3].

    Raises:
        NotEnoughMemory: with both figures and the ways out; nothing was allocated.
    """
    frames, need, left = shape[0], math.prod(shape) * dtype.itemsize, available_memory()
    if need + SPARE <= left:
        try:
            # Not np.empty, which asks for huge pages that are slow to touch first.
            return torch.empty(shape, dtype=dtype)
        except RuntimeError:
            left = 0  # the system has less to give than it said
    fit = max(1, (left - SPARE) * frames // max(need, 1))
    raise NotEnoughMemory(
        f"The {frames} frames need {need / 1e9:.1f} GB of memory, and {left / 1e9:.1f} GB are left.",
        f"Load fewer at a time with Load Seedance Video: frame_load_cap up to {fit}, or a higher "
        "select_every_nth. Its video output is the whole file whatever is loaded. Or generate at a lower resolution. "
        f"Nothing is lost: the video is {file}, and costs nothing to load.",
    )


def available_memory() -> int:
    """Bytes that this process may still take without pushing anything out."""
    return min([psutil.virtual_memory().available, *container_memory(Path("/"))])


def container_memory(root: Path) -> Iterator[int]:
    """Bytes left under every limit of the control groups around this process; inside a container only some are seen.

    Args:
        root: where `proc` and `sys` are.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and "memory" not in controllers.split(","):
            continue
        mount, limit, usage, cache = _VERSION_1 if controllers else _VERSION_2
        group = root / mount / path.lstrip("/")
        for folder in (group, *group.parents):
            try:
                texts = [(folder / name).read_text(encoding="utf-8") for name in (limit, usage, "memory.stat")]
                most, used, stat = int(texts[0]), int(texts[1]), dict(line.split() for line in texts[2].splitlines())
            except (OSError, ValueError):  # there is no such group, or its limit is "max"
                continue
            # Cached files are given up before anything is killed.
            yield most - used + int(stat.get(cache, 0))
