"""FFmpeg is given videos only: no list of other files, whatever its name, and nothing that ends early."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from nodes.video.decode import decode
from nodes.video.errors import CorruptVideo, UnsupportedVideo
from nodes.video.file_format import format_of
from nodes.video.probe import probe
from tests.support.clips import numbered, numbers_in, write_clip
from tests.video.conftest import FRAMES

PLAYLISTS = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
    "a list to join": "ffconcat version 1.0\nfile {other}\n",
    "a session description": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "subtitles that name a video": "# VobSub index file, v7 (do not modify this line!)\n{other}\n",
    "a manifest": '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{other}</BaseURL></MPD>',
}


@pytest.mark.parametrize("content", PLAYLISTS.values(), ids=PLAYLISTS.keys())
def test_a_list_of_other_files_is_no_video(clip: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "other.mp4").write_bytes(clip.read_bytes())
    for name in ("list.mp4", "list.m3u8", "list.mkv", "list.idx", "list%03d.avi"):
        for other in ("other.mp4", clip):
            (tmp_path / name).write_text(content.format(other=other))
            for read in (decode, probe):
                with pytest.raises(UnsupportedVideo, match="not a video"):
                    read(tmp_path / name)


@pytest.mark.parametrize("start", [b"\0\0\0\x08ftyp", b"RIFF\0\0\0\0AVI ", b"\x1a\x45\xdf\xa3\x80"])
def test_nor_is_one_behind_the_start_of_a_video(clip: Path, tmp_path: Path, start: bytes) -> None:
    (tmp_path / "list.mp4").write_bytes(start + b"\n" + PLAYLISTS["HLS"].format(other=clip).encode())
    with pytest.raises((UnsupportedVideo, CorruptVideo)):
        decode(tmp_path / "list.mp4")


def test_without_the_check_ffmpeg_would_open_one(clip: Path, tmp_path: Path) -> None:
    """So the tests above can fail."""
    (tmp_path / "list.m3u8").write_text(PLAYLISTS["HLS"].format(other=clip))
    with av.open(str(tmp_path / "list.m3u8")) as container:
        assert next(container.decode(video=0)).width == 128


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm", ".avi"])
def test_each_kind_is_whole_and_cut_it_is_not(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"clip{ending}"
    write_clip(tmp_path / f"clip{'.mkv' if ending == '.webm' else ending}", map(numbered, range(FRAMES))).rename(file)
    assert numbers_in(decode(file).images) == list(range(FRAMES))
    whole = file.read_bytes()
    for length in range(len(whole) * 9 // 10, len(whole), 101):
        file.write_bytes(whole[:length])
        with pytest.raises(CorruptVideo, match="incomplete"):
            decode(file)


def test_ffmpeg_is_told_the_format_rather_than_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    open_file = av.open

    def watched(*args: Any, **options: Any) -> Any:
        told.append(options["format"])
        return open_file(*args, **options)

    for ending, name in ((".mp4", "mov"), (".mov", "mov"), (".mkv", "matroska"), (".avi", "avi")):
        file = write_clip(tmp_path / f"clip{ending}", map(numbered, range(3)))
        with monkeypatch.context() as patched:
            patched.setattr(av, "open", watched)
            decode(file)
        assert set(told) == {name}
        told.clear()


def test_an_old_quicktime_file_has_no_type(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "old.mov", map(numbered, range(FRAMES)), index_in_front=False)
    data = bytearray(file.read_bytes())
    data[4:8] = b"wide"
    file.write_bytes(data)
    assert numbers_in(decode(file).images) == list(range(FRAMES))


DOCTYPE = b"\x42\x82\x88matroska"
EBML = b"\x1a\x45\xdf\xa3" + bytes([0x80 + len(DOCTYPE)]) + DOCTYPE


def test_matroska_says_how_long_it_is_or_does_not(tmp_path: Path) -> None:
    file = tmp_path / "head.mkv"
    for content, whole in (
        (EBML + b"\x18\x53\x80\x67\x83abc", True),
        (EBML + b"\x18\x53\x80\x67\x83ab", False),
        (EBML + b"\x18\x53\x80\x67\x40\x03abc", True),
        (EBML + b"\x18\x53\x80\x67\x40\x03ab", False),
        (EBML + b"\x18\x53\x80\x67\xff" + b"a recording that goes on", True),
        (EBML + b"\x18\x53\x80\x67\x01" + b"\xff" * 7, True),
        (EBML + b"something else", True),
        (EBML[:6], True),
    ):
        file.write_bytes(content)
        if whole:
            assert format_of(file) == "matroska", content
        else:
            with pytest.raises(CorruptVideo, match="incomplete"):
                format_of(file)


@pytest.mark.parametrize("data", [b"", b"<html>Expired</html>", b"{}", bytes(5000), b"GIF89a" + bytes(50), b"RIFF"])
def test_what_is_no_video_is_told_as_such(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "page.mp4").write_bytes(data)
    with pytest.raises(UnsupportedVideo, match=r"page\.mp4"):
        decode(tmp_path / "page.mp4")
