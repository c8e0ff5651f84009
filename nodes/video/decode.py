"""The frames of a video: all in one tensor, if there is memory for it, or a few at a time, to be upscaled."""

from __future__ import annotations

import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import torch

from .errors import CorruptVideo, UnsupportedVideo, VideoError
from .probe import ALL_FRAMES, Selection, VideoInfo, read_timeline
from .reader import open_frames, orientation_of, write_rgb

if TYPE_CHECKING:
    from .encode import VideoWriter

SPARE_MEMORY: Final = 256 * 1024 * 1024
"""Bytes of memory to leave free, for the decoder and everything else that goes on."""
_READ_SIZE: Final = 4 * 1024 * 1024
Batch = tuple[torch.Tensor, list[int]]
"""Frames, [frames, height, width, 3], RGB, 0..1, and when each is shown, in ticks of the source's time base."""
Batches = Generator[Batch, None, None]


@dataclass(frozen=True)
class Clip:
    images: torch.Tensor
    """[frames, height, width, 3], RGB, 0..1, contiguous, on the CPU."""
    info: VideoInfo


def decode(
    file: Path,
    selection: Selection = ALL_FRAMES,
    *,
    dtype: torch.dtype = torch.float32,
    progress: Callable[[int, int], object] = lambda *_: None,
    check_stop: Callable[[], None] = lambda: None,
) -> Clip:
    """Read the selected frames of a video. Blocks; meant for a worker thread. Needs their memory and a few frames more.

    One thread decodes, others convert what was decoded before. ``progress`` is called with the frames done and in all,
    ``check_stop`` before every packet and frame; it may raise `StopRequested`.

    Raises:
        UnsupportedVideo: it is none, or of a kind that is not read.
        CorruptVideo: it is incomplete.
        VideoError: the selection leaves no frame, or they would not fit into memory; nothing was allocated.
    """
    timeline = read_timeline(file, selection, check_stop)
    wanted = timeline.wanted
    with open_frames(file, wanted.start, timeline.times, check_stop) as (stream, first, frames):
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
            raise CorruptVideo("video.breaksOff", name=file.name, frames=done + len(pending))
    return Clip(images, info)


class FileFrames:
    """The frames of a file in a ``window``: its start and its duration in seconds, which is 0 for one to the end.

    Raises `UnsupportedVideo`, `CorruptVideo`, and what ``check_stop`` does.
    """

    def __init__(self, file: Path, window: tuple[float, float], check_stop: Callable[[], None]) -> None:
        self.name, self._file, self._check_stop = file.stem, file, check_stop
        timeline = read_timeline(file, ALL_FRAMES, check_stop)
        with open_frames(file, check_stop=check_stop) as (stream, first, _):
            info, self._orientation = timeline.info(stream, first), orientation_of(first)
            self.time_base = stream.time_base or Fraction(1, 1000)
            aspect = stream.sample_aspect_ratio or Fraction(1)
        self.width, self.height, self.rate = info.width, info.height, Fraction(info.fps).limit_denominator(100_000)
        self.pixel_aspect = 1 / aspect if self._orientation.is_turned else aspect
        # Cut as ComfyUI does it: by the ticks of the video.
        start, duration = window
        self._shift = int(start / self.time_base)
        self._start = self._shift if start or duration else -math.inf
        self._end = int((start + duration) / self.time_base) if duration else math.inf
        self.count = sum(map(self._is_in, timeline.times)) or info.frames

    def digest(self) -> str:
        """A hash of the file and of which part of it is shown."""
        found = hashlib.sha256(f"{self._start} {self._end}".encode())
        with self._file.open("rb") as file:
            while piece := file.read(_READ_SIZE):
                found.update(piece)
        return found.hexdigest()

    def batches(self, size: int) -> Batches:
        with open_frames(self._file, check_stop=self._check_stop) as (_, _, frames):
            wanted = (frame for frame in frames if frame.pts is None or self._is_in(frame.pts))
            done = 0
            while decoded := list(islice(wanted, size)):
                images = torch.empty((len(decoded), self.height, self.width, 3))
                for number, frame in enumerate(decoded):
                    write_rgb(frame, self._orientation, images[number].numpy(), self._file, done + number)
                done += len(decoded)
                yield images, [(frame.pts or 0) - self._shift for frame in decoded]

    def add_sound(self, writer: VideoWriter) -> None:
        start, end = (float(time * self.time_base) for time in (self._start, self._end))
        writer.copy_sound(self._file, start, end)

    def _is_in(self, time: int) -> bool:
        return self._start <= time < self._end


class TensorFrames:
    """Frames that are in memory: a tensor [frames, height, width, channels], RGB first, 0..1.

    ``sound`` is [channels, samples], -1..1, and its rate; None for a silent video.
    """

    name, pixel_aspect = "video", Fraction(1)

    def __init__(self, images: torch.Tensor, rate: Fraction, sound: tuple[torch.Tensor, int] | None) -> None:
        if not images.numel():
            raise UnsupportedVideo("video.noFrames")
        self._images, self._sound = images[..., :3], sound
        self.count, self.height, self.width, _ = self._images.shape
        self.rate = rate.limit_denominator(100_000)
        self.time_base = 1 / self.rate

    def digest(self) -> str:
        found = hashlib.sha256(f"{tuple(self._images.shape)} {self.rate} {self._images.dtype}".encode())
        for tensor in (*self._images, *(self._sound[:1] if self._sound else ())):
            found.update(tensor.cpu().contiguous().numpy())
        return found.hexdigest()

    def batches(self, size: int) -> Batches:
        for first in range(0, self.count, size):
            images = self._images[first : first + size]
            yield images, list(range(first, first + len(images)))

    def add_sound(self, writer: VideoWriter) -> None:
        if self._sound:
            waveform, rate = self._sound
            most = math.ceil(self.count / self.rate * rate)
            writer.encode_sound(waveform[:, :most].float().cpu().numpy(), rate)


FrameSource = FileFrames | TensorFrames
"""What can be upscaled: both have the same attributes and methods."""


def allocate(shape: tuple[int, ...], file: Path, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """An uninitialised tensor for frames of a file, [frames, height, width, 3].

    Raises `VideoError` where they do not fit, with both figures and the ways out; nothing was allocated.
    """
    frames, need, left = shape[0], math.prod(shape) * dtype.itemsize, available_memory()
    if need + SPARE_MEMORY <= left:
        try:
            # Not np.empty, which asks for huge pages that are slow to touch first.
            return torch.empty(shape, dtype=dtype)
        except RuntimeError:
            left = 0  # the system has less to give than it said
    fit = max(1, (left - SPARE_MEMORY) * frames // max(need, 1))
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
