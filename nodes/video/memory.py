"""The memory for a clip, if there is enough of it on the machine and in the container around this process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import torch

from .errors import VideoError

SPARE: Final = 256 * 1024 * 1024
"""Bytes that are left alone, for the decoder and everything else that goes on."""


def allocate(shape: tuple[int, ...], file: Path, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """An uninitialised tensor for frames of a file, [frames, height, width, 3].

    Raises `VideoError` where they do not fit, with both figures and the ways out; nothing was allocated.
    """
    frames, need, left = shape[0], math.prod(shape) * dtype.itemsize, available_memory()
    if need + SPARE <= left:
        try:
            # Not np.empty, which asks for huge pages that are slow to touch first.
            return torch.empty(shape, dtype=dtype)
        except RuntimeError:
            left = 0  # the system has less to give than it said
    fit = max(1, (left - SPARE) * frames // max(need, 1))
    gigabytes = [f"{size / 1e9:.1f}" for size in (need, left)]
    raise VideoError("video.memory", frames=frames, need=gigabytes[0], left=gigabytes[1], fit=fit, file=str(file))


def available_memory() -> int:
    """Bytes that this process may still take without pushing anything out."""
    return min([psutil.virtual_memory().available, *container_memory(Path("/"))])


def container_memory(root: Path) -> Iterator[int]:
    """Bytes left under every limit of the control groups around this process; inside a container only some are seen.

    ``root`` is where `proc` and `sys` are.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for path in (line[4:] for line in lines if line.startswith("0::/")):
        group = root / "sys/fs/cgroup" / path
        for folder in (group, *group.parents):
            try:
                names = ("memory.max", "memory.current", "memory.stat")
                most, used, stat = [(folder / name).read_text(encoding="utf-8") for name in names]
                cached = dict(line.split() for line in stat.splitlines()).get("inactive_file", 0)
                # Cached files are given up before anything is killed.
                yield int(most) - int(used) + int(cached)
            except (OSError, ValueError):  # there is no such group, or its limit is "max"
                continue
