"""A video file into one tensor, if there is memory for it: on the machine, and in the container around this process.

One thread decodes, others convert what was decoded before.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import psutil
import torch

from .errors import AGAIN, CorruptVideo, VideoError
from .probe import ALL, Selection, VideoInfo, read_timeline
from .reader import open_frames, orientation_of, write_rgb

SPARE: Final = 256 * 1024 * 1024
"""Bytes of memory to leave free, for the decoder and everything else that goes on."""


@dataclass(frozen=True)
class Clip:
    images: torch.Tensor
    """[frames, height, width, 3], RGB, 0..1, contiguous, on the CPU."""
    info: VideoInfo


def decode(
    file: Path,
    selection: Selection = ALL,
    *,
    dtype: torch.dtype = torch.float32,
    progress: Callable[[int, int], object] = lambda *_: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Clip:
    """Read the selected frames of a video. Blocks; meant for a worker thread. Needs their memory and a few frames more.

    ``progress`` is called with the frames done and in all, ``is_cancelled`` before every frame.

    Raises:
        UnsupportedVideo: it is none, or of a kind that is not read.
        CorruptVideo: it is incomplete.
        VideoError: the selection leaves no frame, or they would not fit into memory; nothing was allocated.
        StopRequested: ``is_cancelled`` said so.
    """
    timeline = read_timeline(file, selection, is_cancelled)
    wanted = timeline.wanted
    with open_frames(file, wanted.start, timeline.times, is_cancelled) as (stream, first, frames):
        info, orientation = timeline.info(stream, first), orientation_of(first)
        images = allocate((len(wanted), info.height, info.width, 3), file, dtype)
        out, done, workers = images.numpy(), 0, max(2, (os.cpu_count() or 1) // 2)
        with ThreadPoolExecutor(workers, "seedance-convert") as executor:
            pending = deque[Future[None]]()
            for number, frame in enumerate(islice(frames, 0, len(out) * wanted.step, wanted.step)):
                pending.append(executor.submit(write_rgb, frame, orientation, out[number], file, number))
                # One frame more than there are workers: enough to keep them all busy, with no more in memory.
                while len(pending) > workers or (pending and number + 1 == len(out)):
                    pending.popleft().result()
                    done += 1
                    progress(done, len(out))
        if done < len(out):
            raise CorruptVideo("video.breaksOff", AGAIN, name=file.name, frames=done + len(pending))
    return Clip(images, info)


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
    """Bytes that this process may still take before the system or the container runs short."""
    return min([psutil.virtual_memory().available, *container_memory(Path("/"))])


def container_memory(root: Path) -> Iterator[int]:
    """Bytes left under each memory limit of this process's control groups (version 2); a container shows only some.

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
