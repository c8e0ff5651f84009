"""Real videos, as small as can be, whose frames carry their number."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import av
import imageio_ffmpeg  # type: ignore[import-untyped]  # it has none
import numpy as np
import torch
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

BT709, UNTAGGED, BT470BG, BT601 = 1, 2, 5, 6
"""Colour matrices, by their numbers in ITU-T H.273; BT.470 BG and BT.601 are the same one."""

Picture = NDArray[np.uint8]
"""[height, width, 3], RGB."""

FFMPEG: Final[str] = imageio_ffmpeg.get_ffmpeg_exe()
X264: Final = "-c:v libx264 -preset veryfast -bf 3 -g 30 -pix_fmt yuv420p"
_BITS = 8


def numbered(number: int, width: int = 128, height: int = 64) -> Picture:
    """A frame whose number stands in it as eight black or white bars, lowest bit on the left."""
    bits = [255 * (number >> bit & 1) for bit in range(_BITS)]
    row = np.repeat(np.array(bits, np.uint8), width // _BITS)
    picture: Picture = np.broadcast_to(row[None, :, None], (height, width, 3)).copy()
    return picture


def number_in(frame: NDArray[np.float32]) -> int:
    """The number that `numbered` put into a decoded frame."""
    bars = frame[frame.shape[0] // 2, :, 1].reshape(_BITS, -1).mean(axis=1)
    return sum(1 << bit for bit, bar in enumerate(bars) if bar > 0.5)


def frames_of(file: Path) -> NDArray[np.uint8]:
    """All pictures of a file, [frames, height, width, 3], RGB."""
    with av.open(str(file)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def numbers_in(images: torch.Tensor) -> list[int]:
    """The number in each frame of a decoded clip."""
    return [number_in(frame) for frame in images.numpy()]


@dataclass(frozen=True)
class Coding:
    """How a clip is encoded; by default as Seedance's own are: H.264, yuv420p, B-frames, no colour tags."""

    codec: str = "libx264"
    options: Mapping[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "18", "bf": "2"})
    pixels: str = "yuv420p"
    matrix: int = BT601
    """The colour matrix that the picture is really coded with."""
    tag: int | None = None
    """The colour matrix that the file tells of."""
    full_range: bool = False
    sound: bool = False

    def frame(self, picture: Picture) -> av.VideoFrame:
        coded = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format=self.pixels,
            dst_colorspace=Colorspace.ITU709 if self.matrix == BT709 else Colorspace.ITU601,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.JPEG if self.full_range else ColorRange.MPEG,
        )
        coded.colorspace = self.tag or UNTAGGED
        return coded


SEEDANCE: Final = Coding()


def write_clip(
    file: Path, pictures: Iterable[Picture], *, index_in_front: bool = True, coding: Coding = SEEDANCE
) -> Path:
    """24 frames a second, in the container that the name's ending says."""
    movflags = {"movflags": "+faststart"} if index_in_front else {}
    with av.open(str(file), "w", options=movflags) as container:
        stream = container.add_stream(coding.codec, rate=24, options=dict(coding.options))
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = coding.pixels
        stream.codec_context.thread_count = 1
        if coding.tag:
            stream.codec_context.colorspace = coding.tag
        if coding.full_range:
            stream.codec_context.color_range = ColorRange.JPEG
        if coding.sound:
            beep = container.add_stream("aac", rate=48000, layout="mono")
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            container.mux(stream.encode(coding.frame(picture)))
        container.mux(stream.encode())
        if coding.sound:
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), format="fltp", layout="mono")
            samples.sample_rate = 48000
            container.mux(beep.encode(samples))
            container.mux(beep.encode())
    return file


def times_of(file: Path) -> list[float]:
    """When each frame of a video is shown, in seconds."""
    with av.open(str(file)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


@dataclass(frozen=True)
class Sound:
    """The sound of a video."""

    codec: str = ""
    packets: tuple[bytes, ...] = ()
    start: float = 0
    """Seconds, until it is heard."""
    seconds: float = 0
    """Its length."""


def sound_of(file: Path) -> Sound:
    """The first sound of a video, if it has any."""
    with av.open(str(file)) as container:
        if not container.streams.audio:
            return Sound()
        stream = container.streams.audio[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        seconds = sum(frame.samples / frame.sample_rate for packet in packets for frame in packet.decode())
        start = float(packets[0].pts * packets[0].time_base)
        return Sound(stream.codec_context.name.removesuffix("float"), tuple(map(bytes, packets)), start, seconds)


def source(fps: str = "30", seconds: float = 2, size: str = "160x128") -> str:
    """FFmpeg's arguments for a moving picture of its own."""
    return f"-f lavfi -i testsrc2=s={size}:r={fps}:d={seconds}"


def make(folder: Path, name: str, arguments: str) -> Path:
    """A file in a folder, made by FFmpeg; the last of its arguments may be `-`, for a pipe."""
    command = [FFMPEG, "-nostdin", "-v", "error", "-y", *arguments.replace("'", "").split(" ")]
    # A filter's commas are its own where no shell has taken the quotes away.
    command = [part.replace("lt(mod(n,30),10)", r"lt(mod(n\,30)\,10)") for part in command]
    command += [] if command[-1] == "-" else [name]
    with (folder / name).open("wb") as pipe:
        subprocess.run(command, cwd=folder, check=True, stdout=pipe, stderr=subprocess.DEVNULL)
    return folder / name
