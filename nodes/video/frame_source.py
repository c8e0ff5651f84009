"""The frames of a video a few at a time: of a file, or of a part of it, or of a tensor that holds them all."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Final

import torch

from .encode import BT601, BT709, VideoWriter
from .errors import CorruptVideo, UnsupportedVideo, unreadable
from .picture import float_converter, orientation_of, to_rgb
from .probe import ALL, read_timeline
from .reader import Frames, open_video, read_frames

Part = tuple[torch.Tensor, list[int]]
"""Frames, [frames, height, width, 3], RGB, 0..1, and when each is shown, in ticks of the source's time base."""
Parts = Generator[Part, None, None]
_PIECE: Final = 4 * 1024 * 1024


class FileFrames:
    """The frames of a file that are shown from ``start`` on, for ``duration`` seconds or, for 0, to the end.

    Raises:
        UnsupportedVideo, CorruptVideo: the file cannot be read.
        StopRequested: ``is_cancelled`` said so.
    """

    def __init__(self, file: Path, name: str, window: tuple[float, float], is_cancelled: Callable[[], bool]) -> None:
        self.name, self._file, self._is_cancelled = name, file, is_cancelled
        start, duration = window
        timeline = read_timeline(file, ALL, is_cancelled)
        with open_video(file) as (_, stream):
            self.time_base = stream.time_base or Fraction(1, 1000)
        # As core cuts: by the ticks of the video, towards zero.
        self._is_cut = bool(start or duration)
        self._start = int(start / self.time_base)
        self._end = int((start + duration) / self.time_base) if duration else math.inf
        known = timeline.times if self._is_cut else ()
        self.count = len([time for time in known if self._is_in(time)]) if known else len(timeline.wanted)
        self.rate = Fraction(timeline.fps).limit_denominator(100_000)
        first = next(read_frames(file, is_cancelled=is_cancelled), None)
        if first is None or not self.count:
            raise unreadable(file)
        self._orientation = orientation_of(first)
        self.height, self.width, _ = self._shape = to_rgb(first, self._orientation).shape
        self.matrix = BT709 if int(first.colorspace) == BT709 else BT601
        aspect = Fraction(timeline.pixel_aspect).limit_denominator(1000)
        self.pixel_aspect = aspect if self._orientation[0] else 1 / aspect

    def digest(self) -> str:
        found = hashlib.sha256(f"{self._start} {self._end}".encode())
        with self._file.open("rb") as file:
            while piece := file.read(_PIECE):
                found.update(piece)
        return found.hexdigest()

    def parts(self, size: int) -> Parts:
        to_float = float_converter()
        with closing(self._frames()) as frames:
            pictures, times = list[torch.Tensor](), list[int]()
            for frame in frames:
                picture = to_rgb(frame, self._orientation)
                if picture.shape != self._shape:
                    raise CorruptVideo(f"The size of the picture changes in {self._file.name}.", "Use another file.")
                pictures.append(torch.empty(self._shape))
                to_float(picture, pictures[-1].numpy())
                times.append(frame.pts - self._start if frame.pts is not None else 0)
                if len(pictures) == size:
                    yield torch.stack(pictures), times
                    pictures, times = [], []
            if pictures:
                yield torch.stack(pictures), times

    def add_sound(self, writer: VideoWriter) -> None:
        start = float(self._start * self.time_base) if self._is_cut else -math.inf
        writer.copy_sound(self._file, start, float(self._end * self.time_base))

    def _frames(self) -> Frames:
        for frame in read_frames(self._file, is_cancelled=self._is_cancelled):
            if not self._is_cut or frame.pts is None or self._is_in(frame.pts):
                yield frame
            elif frame.pts >= self._end:
                return

    def _is_in(self, time: int) -> bool:
        return self._start <= time < self._end


class TensorFrames:
    """Frames that are in memory: a tensor [frames, height, width, channels], RGB first, 0..1.

    Args:
        sound: [channels, samples], -1..1, and its rate; None for a silent video.
    """

    name, matrix, pixel_aspect = "video", BT601, Fraction(1)

    def __init__(self, images: torch.Tensor, rate: Fraction, sound: tuple[torch.Tensor, int] | None) -> None:
        if not images.numel():
            raise UnsupportedVideo("The video has no frames.", "Use another one.")
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
