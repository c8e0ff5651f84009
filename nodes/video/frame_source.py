"""The frames of a video a few at a time: of a file, or of a part of it, or of a tensor that holds them all."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final

import torch

from .encode import VideoWriter
from .errors import UnsupportedVideo
from .probe import ALL, read_timeline
from .reader import open_frames, orientation_of, write_rgb

Part = tuple[torch.Tensor, list[int]]
"""Frames, [frames, height, width, 3], RGB, 0..1, and when each is shown, in ticks of the source's time base."""
Parts = Generator[Part, None, None]
_PIECE: Final = 4 * 1024 * 1024


class FileFrames:
    """The frames of a file that are shown from ``start`` seconds on, for ``duration`` seconds or, for 0, to the end.

    Raises `UnsupportedVideo`, `CorruptVideo`, or `StopRequested` where ``is_cancelled`` said so.
    """

    def __init__(self, file: Path, window: tuple[float, float], is_cancelled: Callable[[], bool]) -> None:
        self.name, self._file, self._is_cancelled = file.stem, file, is_cancelled
        timeline = read_timeline(file, ALL, is_cancelled)
        with open_frames(file, is_cancelled=is_cancelled) as (stream, first, _):
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
            while piece := file.read(_PIECE):
                found.update(piece)
        return found.hexdigest()

    def parts(self, size: int) -> Parts:
        with open_frames(self._file, is_cancelled=self._is_cancelled) as (_, _, frames):
            wanted = (frame for frame in frames if frame.pts is None or self._is_in(frame.pts))
            done = 0
            while some := list(islice(wanted, size)):
                images = torch.empty((len(some), self.height, self.width, 3))
                for number, frame in enumerate(some):
                    write_rgb(frame, self._orientation, images[number].numpy(), self._file, done + number)
                done += len(some)
                yield images, [(frame.pts or 0) - self._shift for frame in some]

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

    def parts(self, size: int) -> Parts:
        for first in range(0, self.count, size):
            part = self._images[first : first + size]
            yield part, list(range(first, first + len(part)))

    def add_sound(self, writer: VideoWriter) -> None:
        if self._sound:
            waveform, rate = self._sound
            most = math.ceil(self.count / self.rate * rate)
            writer.encode_sound(waveform[:, :most].float().cpu().numpy(), rate)


FrameSource = FileFrames | TensorFrames
