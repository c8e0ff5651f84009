"""An H.264 MP4 written frame by frame, with sound, that gets its name once it is whole."""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

import av
import numpy as np
import psutil
import torch
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from ..files import remove, replace, sync
from .errors import VideoError, disk_error
from .reader import open_video

Sound = TypeVar("Sound", "av.Packet[av.AudioStream]", "av.AudioFrame")

BT709, BT601 = 1, 6
"""Their numbers in ITU-T H.273. Every size uses the BT.601 matrix, and the file says so: of BT.709, PyAV before 17, and
so ComfyUI, reads values up to 13 of 255 wrong, and Chromium 14 for a strong blue."""
MAX_SIDE: Final = 16384
MAX_AREA: Final = 139_264 * 16 * 16
"""Pixels of a picture that H.264 allows at most (Rec. ITU-T H.264, level 6.2), and per side what x264 takes."""
KEY_TAG: Final = "seedance_upscale"
"""In the file's metadata: what it was made from."""
UNFINISHED_ENDING: Final = ".unfinished"
_COPIED: Final = ("aac", "ac3", "alac", "eac3", "flac", "mp3", "opus")
"""Codecs of sound that an MP4 holds as they are."""
_AAC_RATE: Final = 48000
_MAX_THREADS: Final = 8
"""Each keeps some pictures in memory."""


@dataclass(frozen=True)
class Format:
    width: int
    height: int
    """Pixels; both even."""
    rate: Fraction
    """Frames per second, on average."""
    time_base: Fraction
    """Seconds of a tick, in which frames are timed."""
    crf: int
    """x264's constant rate factor: 0 without loss, 51 worst."""
    pixel_aspect: Fraction = Fraction(1)

    @property
    def is_possible(self) -> bool:
        sides = (self.width, self.height)
        return min(sides) >= 2 and max(sides) <= MAX_SIDE and math.prod(sides) <= MAX_AREA


class VideoWriter:
    """One video on its way to ``target``: sound first, if there is any, then every frame, then `finish`.

    `discard` removes what is unfinished, and is harmless after success. All methods but that raise
    `DiskFailure` where the disk does not take it. Not for several threads at once.
    """

    def __init__(self, target: Path, wanted: Format, key: str) -> None:
        self._target, self._wanted = target, wanted
        self._unfinished = target.with_name(f".{os.getpid()}-{secrets.token_hex(4)}{UNFINISHED_ENDING}")
        self._last_time: int | None = None
        with self._disk_errors():
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._unfinished.open("wb")
            # Sound is written first, so the muxer must hold it back until its frames come, however many there are.
            options = {"movflags": "use_metadata_tags", "max_interleave_delta": "0"}
            self._container = av.open(self._file, "w", format="mp4", options=options)
        self._container.metadata[KEY_TAG] = key
        stream = self._container.add_stream("libx264", rate=wanted.rate)
        # "superfast" looks no frames ahead; the usual forty take gigabytes when frames are large.
        stream.options = {"crf": str(wanted.crf), "preset": "superfast"}
        stream.width, stream.height, stream.pix_fmt = wanted.width, wanted.height, "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = wanted.time_base
        context.thread_count = min(os.cpu_count() or 1, _MAX_THREADS)
        context.colorspace, context.color_range = BT601, ColorRange.MPEG
        context.color_primaries = context.color_trc = BT709
        context.sample_aspect_ratio = wanted.pixel_aspect
        self._stream = stream

    def copy_sound(self, file: Path, start: float, end: float) -> None:
        """Copy a file's first sound track, from ``start`` to ``end`` seconds; as AAC if MP4 cannot hold its codec."""
        with open_video(file) as (container, _):
            source = next((each for each in container.streams.audio if getattr(each, "codec_context", None)), None)
            if source is None:
                return
            if source.codec_context.name.removesuffix("float") not in _COPIED:
                self._encode_sound(_within(container.decode(source), start, end), source.codec_context.channels)
                return
            target = self._container.add_stream_from_template(source)
            for packet in _within(container.demux(source), start, end):
                packet.stream = target
                self._mux(packet)

    def encode_sound(self, waveform: NDArray[np.float32], rate: int) -> None:
        """Write sound as AAC: [channels, samples], -1..1."""
        layout = _layout(len(waveform))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(waveform), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        self._encode_sound(iter([frame]), len(waveform))

    def _encode_sound(self, frames: Iterator[av.AudioFrame], channels: int) -> None:
        stream = self._container.add_stream("aac", rate=_AAC_RATE, layout=_layout(channels))
        resampler = av.AudioResampler(format="fltp", layout=_layout(channels), rate=_AAC_RATE)
        for frame in chain(frames, [None]):
            for resampled in resampler.resample(frame):
                self._mux(*stream.encode(resampled))
        self._mux(*stream.encode(None))

    def write(self, pictures: list[NDArray[np.uint8]], times: list[int]) -> None:
        """Add frames, RGB [height, width, 3] of any one size, to be shown at these times in ticks."""
        wanted = self._wanted
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            # Scaled in a step of its own: together with the next, colours would come from every other pixel only.
            frame = frame.reformat(wanted.width, wanted.height, interpolation=Interpolation.AREA)
            frame = frame.reformat(
                format="yuv420p",
                src_colorspace=Colorspace.ITU601,
                dst_colorspace=Colorspace.ITU601,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
            )
            # Some files show two frames at one time; an encoder does not take that.
            self._last_time = time if self._last_time is None else max(time, self._last_time + 1)
            frame.pts, frame.time_base = self._last_time, wanted.time_base
            self._mux_frame(frame)

    def finish(self) -> None:
        self._mux_frame(None)
        with self._disk_errors():
            self._container.close()
            sync(self._file)
            self._file.close()
            replace(self._unfinished, self._target)

    def discard(self) -> None:
        for end in (self._container.close, self._file.close, partial(remove, self._unfinished)):
            with suppress(OSError, ValueError, av.FFmpegError):
                end()

    def _mux_frame(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            # The muxer needs a duration for the last frame.
            packet.duration = max(1, round(1 / self._wanted.rate / self._wanted.time_base))
            self._mux(packet)

    def _mux(self, *packets: av.Packet[av.AudioStream] | av.Packet[av.VideoStream]) -> None:
        with self._disk_errors():
            self._container.mux(packets)

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise disk_error(error, self._target) from None


def to_pictures(images: torch.Tensor) -> list[NDArray[np.uint8]]:
    """Frames, [frames, height, width, 3], 0..1, as bytes, cut to the even sizes of H.264. Overwrites them."""
    _, height, width, _ = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2]
    return list(even.mul_(255).round_().clamp_(0, 255).to(torch.uint8).contiguous().cpu().numpy())


def _layout(channels: int) -> str:
    return {1: "mono", 6: "5.1"}.get(channels, "stereo")


def _within(items: Iterator[Sound], start: float, end: float) -> Iterator[Sound]:
    """Packets or frames of sound between two times in seconds, timed from ``start`` on; ends early at damage.

    A ``start`` of minus infinity leaves the times as they are.
    """
    with suppress(av.FFmpegError):
        for item in items:
            tick = item.time_base or Fraction(1)
            if item.pts is not None and start <= item.pts * tick < end:
                shift = round(start / tick) if math.isfinite(start) else 0
                item.pts -= shift
                item.dts = item.dts - shift if item.dts is not None else None
                yield item


def finished_frames(file: Path, key: str) -> int:
    """The number of frames of a finished video with this ``key`` in its metadata; 0 if there is none."""
    with suppress(VideoError), open_video(file) as (container, stream):
        return stream.frames if container.metadata.get(KEY_TAG) == key else 0
    return 0


def remove_unfinished(folder: Path) -> None:
    """Remove the files in a folder that were left by processes that were killed while they wrote a video."""
    for part in folder.glob(f".*{UNFINISHED_ENDING}"):
        with suppress(OSError, ValueError):
            process = int(part.name[1:].partition("-")[0])
            with suppress(psutil.NoSuchProcess):
                # Another process may have that id by now: in a container, every ComfyUI may get the same.
                if psutil.Process(process).create_time() <= part.stat().st_mtime:
                    continue
            remove(part)
