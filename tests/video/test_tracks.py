"""Pictures of an unknown coding or of an absurd size are refused before a decoder sees them."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from nodes.video import decode as decoding
from nodes.video import memory
from nodes.video.decode import decode
from nodes.video.errors import NotEnoughMemory, UnsupportedVideo
from nodes.video.memory import SPARE
from nodes.video.probe import probe
from nodes.video.tracks import MOST_PIXELS
from tests.support.bombs import inserted
from tests.support.clips import Coding, Picture, in_box, numbered, numbers_in, overwrite, plain, write_clip
from tests.video.conftest import FRAMES

PRORES = Coding("prores_ks", {}, "yuv422p10le")
MPEG4 = Coding("mpeg4", {})
PNG = Coding("png", {}, "rgb24")
MJPEG = Coding("mjpeg", {}, "yuvj420p")


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No decoder is opened."""

    def opened(file: Path) -> cv2.VideoCapture:
        raise AssertionError("it was opened")

    monkeypatch.setattr(decoding, "open_video", opened)


@pytest.fixture
def unopened(undecoded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg does not get to see a file at all."""

    def opened(*args: object) -> cv2.VideoCapture:
        raise AssertionError("it was opened")

    monkeypatch.setattr(cv2, "VideoCapture", opened)


@pytest.mark.parametrize(("name", "coding"), [("clip.mov", PRORES), ("clip.mov", Coding()), ("clip.mp4", MPEG4)])
def test_the_codings_of_cameras_and_editors_are_decoded(tmp_path: Path, name: str, coding: Coding) -> None:
    file = write_clip(tmp_path / name, map(numbered, range(FRAMES)), coding=coding)
    assert numbers_in(decode(file).images) == list(range(FRAMES))


@pytest.mark.usefixtures("unopened")
@pytest.mark.parametrize(
    ("name", "coding", "named"),
    [
        ("clip.mov", PNG, "png"),
        ("clip.mov", MJPEG, "jpeg"),
        # What MPEG-4 calls its own may be any of these, too.
        ("clip.mp4", PNG, "unusual mp4v"),
        ("clip.mp4", MJPEG, "unusual mp4v"),
        ("clip.mp4", Coding("ffv1", {}), "FFV1"),
    ],
)
def test_other_codings_are_refused_by_name(tmp_path: Path, name: str, coding: Coding, named: str) -> None:
    file = write_clip(tmp_path / name, map(numbered, range(3)), coding=coding)
    said = rf"^{name} is {named} video, which this node does not decode\. Convert it to an H\.264 MP4\.$"
    for read in (decode, probe):
        with pytest.raises(UnsupportedVideo, match=said):
            read(file)


@pytest.mark.usefixtures("undecoded")
def test_also_where_the_track_does_not_say_that_it_holds_pictures(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "clip.mov", map(numbered, range(3)), coding=PNG)
    overwrite(file, in_box(file, b"hdlr", 8), b"data")
    with pytest.raises(UnsupportedVideo, match=r"^clip\.mov is m?png video, which this node does not decode"):
        decode(file)


@pytest.mark.usefixtures("unopened")
def test_a_name_that_is_no_text_is_not_shown(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "clip.mp4", map(numbered, range(3)))
    for name, shown in ((b"<\0\n]", "unknown"), (b"[b>1", "b1")):
        overwrite(file, in_box(file, b"stsd", 12), name)
        with pytest.raises(UnsupportedVideo, match=f"^clip.mp4 is {shown} video"):
            decode(file)


@pytest.mark.usefixtures("unopened")
@pytest.mark.parametrize(("width", "height"), [(8193, 4320), (16000, 16000), (65535, 65535)])
def test_a_header_that_tells_of_too_large_a_picture_is_believed(
    tmp_path: Path, clip: Path, width: int, height: int
) -> None:
    file = tmp_path / "large.mp4"
    file.write_bytes(clip.read_bytes())
    overwrite(file, in_box(file, b"stsd", 40), struct.pack(">HH", width, height))
    with pytest.raises(
        UnsupportedVideo, match=rf"^The pictures of large\.mp4 have {width * height / 1e6:.1f} million pixels"
    ):
        decode(file)


@pytest.mark.usefixtures("unopened")
def test_several_tracks_count_together(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "tracks.mp4"
    data = clip.read_bytes()
    start = data.index(b"trak") - 4
    (size,) = struct.unpack_from(">I", data, start)
    file.write_bytes(data)
    overwrite(file, in_box(file, b"stsd", 40), struct.pack(">HH", 6000, 4000))
    file.write_bytes(inserted(file.read_bytes(), b"trak", file.read_bytes()[start : start + size]))
    with pytest.raises(UnsupportedVideo, match=r"have 48\.0 million pixels"):
        decode(file)


def large() -> list[Picture]:
    return [np.broadcast_to(np.uint8(90), (4336, 8208, 3))] * 2


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize("name", ["large.mp4", "large.mkv"])
def test_too_large_a_picture_is_refused_whatever_the_header_says(tmp_path: Path, name: str) -> None:
    file = write_clip(tmp_path / name, large(), coding=Coding(options={"preset": "ultrafast", "bf": "0"}))
    if name == "large.mp4":
        overwrite(file, in_box(file, b"stsd", 40), struct.pack(">HH", 16, 16))
    for read in (decode, probe):
        with pytest.raises(UnsupportedVideo, match=r"have 35\.6 million pixels, and 8192x4320, which is 35\.4 million"):
            read(file)


def test_so_large_is_no_video() -> None:
    assert 3840 * 2160 * 4 < MOST_PIXELS < 8208 * 4336


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize(("pixels", "decoder"), [("yuv420p", 42), ("yuv420p10le", 132)])
def test_what_the_decoder_takes_counts_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pixels: str, decoder: int
) -> None:
    file = write_clip(tmp_path / "clip.mp4", [plain(9, 9, 9, 1280, 720)] * 3, coding=Coding(pixels=pixels))
    need = 1280 * 720 * (3 * 12 + decoder)
    monkeypatch.setattr(memory, "available_memory", lambda: need + SPARE - 1)
    with pytest.raises(NotEnoughMemory, match=rf"^The 3 frames need {need / 1e9:.1f} GB"):
        decode(file)
    monkeypatch.setattr(memory, "available_memory", lambda: need + SPARE)
    with pytest.raises(AssertionError, match="it was opened"):
        decode(file)
