"""Sound files that are out of the ordinary: turned, uneven, or in a coding of their own."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from nodes.video.decode import Selection, decode
from nodes.video.errors import UnsupportedVideo
from nodes.video.opencv import NO_INTERLACED_FROM, version
from tests.support.clips import Coding, Picture, in_box, number_in, numbered, numbers_in, overwrite, write_clip
from tests.video.conftest import FRAMES

HEVC = Coding("libx265", {"preset": "ultrafast", "x265-params": "log-level=none"})
VP9 = Coding("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"})
AV1 = Coding("libsvtav1", {"preset": "8", "svtav1-params": "lp=1"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of numbered frames with its index in front."""
    return write_clip(tmp_path / "odd.mp4", map(numbered, range(FRAMES)))


def ramp(width: int, height: int) -> Picture:
    """Dark on the left, bright on the right."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    picture: Picture = np.broadcast_to(row[None, :, None], (height, width, 3)).copy()
    return picture


@pytest.mark.parametrize(
    ("matrix", "turns"),
    [((0, 1, -1, 0), 3), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 1), ((1, 0, 0, 1), 0)],
    ids=["90", "180", "270", "0"],
)
def test_a_turned_picture_is_turned_back(file: Path, matrix: tuple[int, int, int, int], turns: int) -> None:
    upright = decode(file).images
    a, b, c, d = (value << 16 for value in matrix)
    overwrite(file, in_box(file, b"tkhd", 40), struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))
    turned = decode(file).images
    assert turned.is_contiguous()
    assert torch.equal(turned, upright.rot90(turns, (1, 2)))


@pytest.mark.parametrize(("width", "height"), [(129, 64), (128, 65), (131, 67)])
@pytest.mark.parametrize("coding", [Coding(pixels="yuv444p", options={"crf": "4"}), VP9], ids=["444", "420"])
def test_odd_sizes(tmp_path: Path, coding: Coding, width: int, height: int) -> None:
    images = decode(write_clip(tmp_path / "odd.mp4", [ramp(width, height)] * 3, coding=coding)).images.numpy()
    assert images.shape == (3, height, width, 3)
    assert np.abs(images * 255 - ramp(width, height)).max() <= 8


@pytest.mark.parametrize("name", ["uneven.mp4", "uneven.mkv"])
def test_at_a_variable_rate_the_clip_lasts_as_long_as_the_file_says(tmp_path: Path, name: str) -> None:
    seconds = [*(n / 25 for n in range(25)), *(1 + n / 10 for n in range(20))]
    file = write_clip(
        tmp_path / name,
        map(numbered, range(len(seconds))),
        coding=Coding(options={"preset": "ultrafast", "bf": "0"}, seconds=seconds),
    )
    with av.open(str(file)) as container:
        assert container.duration is not None
        lasts = container.duration / 1_000_000
    clip = decode(file)
    assert numbers_in(clip.images) == list(range(len(seconds)))
    assert len(clip.images) / clip.fps == pytest.approx(lasts, rel=0.01)
    assert decode(file, Selection(30, 5, 2)).fps == clip.fps


@pytest.mark.parametrize("coding", [HEVC, VP9, Coding(pixels="yuv420p10le"), Coding(sound=True)], ids=str)
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_every_coding_and_container_gives_every_frame(tmp_path: Path, coding: Coding, ending: str) -> None:
    file = write_clip(tmp_path / f"clip{ending}", map(numbered, range(FRAMES)), coding=coding)
    clip = decode(file)
    assert numbers_in(clip.images) == list(range(FRAMES))
    assert clip.fps == pytest.approx(24)
    assert numbers_in(decode(file, Selection(3, 3, 4)).images) == [3, 7, 11]


def test_progressive_avi_gives_every_frame(tmp_path: Path) -> None:
    coding = Coding(options={"preset": "ultrafast", "bf": "0"})
    file = write_clip(tmp_path / "clip.avi", map(numbered, range(FRAMES)), coding=coding)
    assert numbers_in(decode(file).images) == list(range(FRAMES))


def test_webm_gives_every_frame(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "clip.webm", map(numbered, range(FRAMES)), coding=VP9)
    assert numbers_in(decode(file).images) == list(range(FRAMES))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm"])
@pytest.mark.parametrize("skip", [0, 70])
def test_av1_comes_out_right_or_is_refused_by_name(tmp_path: Path, name: str, skip: int) -> None:
    count = skip + FRAMES
    file = write_clip(tmp_path / name, map(numbered, range(count)), coding=AV1)
    reader = cv2.VideoCapture(str(file))
    readable = reader.grab()
    reader.release()
    if readable:
        assert numbers_in(decode(file, Selection(skip)).images) == list(range(skip, count))
    else:
        with pytest.raises(
            UnsupportedVideo, match=r"is AV1 video, which this OpenCV cannot decode\. Convert it to H\.264\."
        ):
            decode(file, Selection(skip))


INTERLACED = {
    "libx264": {"preset": "ultrafast", "x264-params": "tff=1"},
    "libx265": {"preset": "ultrafast", "x265-params": "interlace=tff:log-level=none"},
}


@pytest.mark.parametrize(
    ("codec", "ending"),
    [("libx264", ".mp4"), ("libx264", ".mkv"), ("libx264", ".avi"), ("libx265", ".mp4"), ("libx265", ".mkv")],
)
@pytest.mark.skipif(version() < NO_INTERLACED_FROM, reason="older builds of OpenCV show interlaced pictures")
def test_interlaced_video_is_refused_rather_than_black(tmp_path: Path, codec: str, ending: str) -> None:
    file = write_clip(
        tmp_path / f"fields{ending}", map(numbered, range(FRAMES)), coding=Coding(codec, INTERLACED[codec])
    )
    with pytest.raises(UnsupportedVideo, match="is interlaced"):
        decode(file)


@pytest.mark.skipif(version() < NO_INTERLACED_FROM, reason="older builds of OpenCV show interlaced pictures")
def test_opencv_itself_says_that_black_frames_are_well(tmp_path: Path) -> None:
    """The day this fails, interlaced video need not be refused any more."""
    coding = Coding("libx264", INTERLACED["libx264"])
    file = write_clip(tmp_path / "fields.mp4", map(numbered, range(FRAMES)), coding=coding)
    reader = cv2.VideoCapture(str(file))
    read = [reader.read() for _ in range(FRAMES)]
    reader.release()
    assert all(got for got, _ in read)
    assert [number_in((frame / 255).astype(np.float32)) for _, frame in read] != list(range(FRAMES))


def two_sizes(file: Path) -> Path:
    """Six frames of 128x64, then six of half the size, in one stream."""
    options = dict(VP9.options)
    with av.open(str(file), "w", format="mp4") as container:
        stream = container.add_stream("libvpx-vp9", rate=24, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        for number in range(6):
            container.mux(stream.encode(VP9.frame(numbered(number))))
        container.mux(stream.encode())
        small = av.CodecContext.create("libvpx-vp9", "w")
        assert isinstance(small, av.VideoCodecContext)
        small.width, small.height, small.pix_fmt = 64, 32, "yuv420p"
        small.time_base, small.options = Fraction(1, 24), options
        frames = [VP9.frame(numbered(number, 64, 32)) for number in range(6, 12)]
        for number, frame in enumerate(frames, 6):
            frame.pts, frame.time_base = number, Fraction(1, 24)
        for packet in [packet for frame in [*frames, None] for packet in small.encode(frame)]:
            packet.stream = stream
            container.mux(packet)
    return file


def test_where_the_size_changes_all_frames_have_the_first_ones(tmp_path: Path) -> None:
    clip = decode(two_sizes(tmp_path / "two.mp4"))
    assert clip.images.shape == (12, 64, 128, 3)
    assert numbers_in(clip.images) == list(range(12))
