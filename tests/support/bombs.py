"""Small MP4 files that would make FFmpeg take gigabytes or minutes, and that are otherwise real."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import av
import numpy as np

from tests.support.clips import in_box, numbered, overwrite, write_clip
from tests.support.damage import boxes
from tests.support.mp4_boxes import box

FRAMES = 12
ABSURD = 80_000_000
"""Frames that are announced."""


def one_size(file: Path, count: int = ABSURD) -> Path:
    """All frames are said to be of one size, so that their sizes need no table."""
    write_clip(file, map(numbered, range(FRAMES)))
    overwrite(file, in_box(file, b"stsz", 4), struct.pack(">II", 100, count))
    overwrite(file, in_box(file, b"stts", 8), struct.pack(">I", count))
    return overwrite(file, in_box(file, b"stsc", 12), struct.pack(">I", count))


def fragment(file: Path, count: int = ABSURD) -> Path:
    """A fragment whose frames are all as the fragment says."""
    fragmented(file)
    return overwrite(file, in_box(file, b"trun", 0), struct.pack(">II", 0, count))


def compressed(file: Path) -> Path:
    """An index that FFmpeg would have to inflate first."""
    data = write_clip(file, map(numbered, range(FRAMES)), index_in_front=False).read_bytes()
    (moov,) = (found for found in boxes(data) if found.kind == b"moov")
    index = data[moov.start : moov.end]
    inflated = box(b"cmvd", struct.pack(">I", len(index)) + zlib.compress(index))
    smaller = box(b"moov", box(b"cmov", box(b"dcom", b"zlib") + inflated))
    file.write_bytes(data[: moov.start] + smaller + data[moov.end :])
    return file


def fragmented(file: Path) -> Path:
    """A harmless file in fragments, as recorders and browsers write it."""
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(str(file), "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast", "g": "4"})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = 64, 128, "yuv420p"
        for number in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")))
        container.mux(stream.encode())
    return file


def uncompressed_sound(file: Path) -> Path:
    """A harmless file with a second of sound of which every sample is announced by itself, as cameras write it."""
    with av.open(str(file), "w", format="mov") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = 64, 128, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for number in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")))
        container.mux(stream.encode())
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), format="s16", layout="mono")
        samples.sample_rate = 48000
        container.mux(sound.encode(samples))
        container.mux(sound.encode())
    return file


def inserted(data: bytes, kind: bytes, content: bytes) -> bytes:
    """A file with boxes put in front of its first one of a kind, the sizes of all around it made to fit."""
    place = next(found for found in boxes(data) if found.kind == kind)
    result = bytearray(data)
    for around in boxes(data):
        if around.start < place.start < around.end:
            struct.pack_into(">I", result, around.start, around.end - around.start + len(content))
    return bytes(result[: place.start]) + content + bytes(result[place.start :])
