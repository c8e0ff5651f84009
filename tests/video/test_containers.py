"""OpenCV is given videos only: no list of other files, whatever its name, and nothing that ends early."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from nodes.video.containers import check_container
from nodes.video.decode import decode
from nodes.video.errors import CorruptVideo, UnsupportedVideo
from nodes.video.opencv import open_video
from tests.support.clips import numbered, numbers_in, write_clip
from tests.video.conftest import FRAMES

PLAYLISTS = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
    "a list to join": "ffconcat version 1.0\nfile {other}\n",
    "a session description": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "subtitles that name a video": "# VobSub index file, v7 (do not modify this line!)\n{other}\n",
}


@pytest.mark.parametrize("content", PLAYLISTS.values(), ids=PLAYLISTS.keys())
@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.mkv", "list.idx"])
def test_a_list_of_other_files_is_no_video(clip: Path, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / "other.mp4").write_bytes(clip.read_bytes())
    for other in ("other.mp4", clip):
        (tmp_path / name).write_text(content.format(other=other))
        with pytest.raises(UnsupportedVideo, match="not a video"):
            decode(tmp_path / name)


def test_without_the_check_opencv_would_open_one(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the test above can fail."""
    monkeypatch.setattr("nodes.video.opencv.check_container", lambda file: None)
    (tmp_path / "list.m3u8").write_text(PLAYLISTS["HLS"].format(other=clip))
    assert open_video(tmp_path / "list.m3u8").grab()


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".webm", ".avi"])
def test_each_kind_is_whole_and_cut_it_is_not(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"clip{ending}"
    write_clip(tmp_path / f"clip{'.mkv' if ending == '.webm' else ending}", map(numbered, range(FRAMES))).rename(file)
    assert numbers_in(decode(file).images) == list(range(FRAMES))
    whole = file.read_bytes()
    for length in range(len(whole) * 9 // 10, len(whole), 101):
        file.write_bytes(whole[:length])
        with pytest.raises(CorruptVideo, match="incomplete"):
            decode(file)


DOCTYPE = b"\x42\x82\x88matroska"
EBML = b"\x1a\x45\xdf\xa3" + bytes([0x80 + len(DOCTYPE)]) + DOCTYPE


@pytest.mark.parametrize(
    "content",
    [
        EBML + b"\x18\x53\x80\x67\x83abc",
        EBML + b"\x18\x53\x80\x67\x40\x03abc",
        EBML + b"\x18\x53\x80\x67\xff" + b"a recording that goes on",
        EBML + b"\x18\x53\x80\x67\x01" + b"\xff" * 7,
        EBML + b"something else",
        b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x0b" + DOCTYPE + b"\x18\x53\x80\x67\x83abc",
        b"\x1a\x45\xdf\xa3\x88\x42\x82\x85webm\0\x18\x53\x80\x67\x83abc",
        b"RIFF" + struct.pack("<I", 7) + b"AVI LIS",
    ],
)
def test_what_does_not_say_how_long_it_is_or_says_it_rightly_passes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.mkv").write_bytes(content)
    check_container(tmp_path / "odd.mkv")


@pytest.mark.parametrize(
    "content",
    [
        EBML + b"\x18\x53\x80\x67\x84abc",
        EBML + b"\x18\x53\x80\x67\x08" + b"\xff" * 4,
        b"RIFF" + struct.pack("<I", 8) + b"AVI LIS",
    ],
)
def test_what_is_shorter_than_it_says_does_not(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.mkv").write_bytes(content)
    with pytest.raises(CorruptVideo, match="incomplete"):
        check_container(tmp_path / "odd.mkv")


SESSION = b"\n" + PLAYLISTS["a session description"].encode()
LONG = b"\1\1\1\x20"
"""The size of a box of 16 MB, without the zeros that end a text."""


@pytest.mark.parametrize(
    "content",
    [
        LONG + b"ftypisom" + SESSION,
        LONG + b"ftypjp2 " + SESSION,
        *(b"\0\0\0\x20ftyp" + brand + SESSION for brand in (b"jp2 ", b"jpx ", b"jxl ")),
        b"\x1a\x45\xdf\xa3\x08\1\1\1\1" + SESSION,
        b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff" + DOCTYPE + SESSION,
        b"\x1a\x45\xdf\xa3\x50\0" + bytes(4085) + DOCTYPE + SESSION,
        b"\x1a\x45\xdf\xa3\x84matr" + SESSION + DOCTYPE,
        EBML[:5],
    ],
)
def test_what_ffmpeg_could_take_for_something_else_is_no_video(tmp_path: Path, content: bytes) -> None:
    """For a session description, say, by which it would receive a video from the network."""
    (tmp_path / "both.mp4").write_bytes(content)
    with pytest.raises(UnsupportedVideo, match="not a video"):
        check_container(tmp_path / "both.mp4")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"\x1a\x45", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_other_things_are_no_video(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.avi").write_bytes(content)
    with pytest.raises(UnsupportedVideo):
        check_container(tmp_path / "odd.avi")
