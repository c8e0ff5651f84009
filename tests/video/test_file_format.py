"""FFmpeg is given videos only: no list of other files, whatever its name, and nothing that ends early."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from itertools import product
from pathlib import Path
from unittest.mock import Mock

import av
import pytest

from nodes.video.decode import decode
from nodes.video.errors import CorruptVideo, UnsupportedVideo, VideoError
from nodes.video.file_format import MAX_BOXES, check_mp4, format_of
from nodes.video.probe import probe
from tests.support.clips import numbered, numbers_in, write_clip
from tests.support.tiny_mp4 import TINY_MP4, box
from tests.video.conftest import FRAMES

PLAYLISTS = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
    "a list to join": "ffconcat version 1.0\nfile {other}\n",
    "a session description": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "subtitles that name a video": "# VobSub index file, v7 (do not modify this line!)\n{other}\n",
    "a manifest": '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{other}</BaseURL></MPD>',
}
READERS: tuple[Callable[[Path], object], ...] = (decode, probe)


def test_a_list_of_other_files_is_no_video_nor_is_one_behind_the_start_of_a_video(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "other.mp4").write_bytes(clip.read_bytes())
    names = ("list.mp4", "list.m3u8", "list.mkv", "list.idx", "list%03d.avi")
    for kind, name, other, read in product(PLAYLISTS, names, ("other.mp4", clip), READERS):
        (tmp_path / name).write_text(PLAYLISTS[kind].format(other=other))
        assert is_refused(tmp_path / name, read, UnsupportedVideo, "not a video"), (kind, name)
    playlist = PLAYLISTS["HLS"].format(other=clip)
    for start in (b"\0\0\0\x08ftyp", b"RIFF\0\0\0\0AVI ", b"\x1a\x45\xdf\xa3\x80"):
        (tmp_path / "list.mp4").write_bytes(start + f"\n{playlist}".encode())
        assert is_refused(tmp_path / "list.mp4", decode, VideoError), start
    (tmp_path / "list.m3u8").write_text(playlist)
    with av.open(str(tmp_path / "list.m3u8")) as container:
        assert next(container.decode(video=0)).width == 128, "FFmpeg would open it, so that this test can fail"


def is_refused(file: Path, read: Callable[..., object], kind: type[VideoError], words: str = "") -> bool:
    """Whether a file is refused with an error of a kind that has these words in it."""
    try:
        read(file)
    except kind as error:
        return words in str(error)
    return False


def test_each_kind_is_whole_and_cut_it_is_not(tmp_path: Path) -> None:
    for ending, in_front in (*product((".mp4", ".mov", ".mkv", ".webm", ".avi"), (True,)), (".mp4", False)):
        file, made = tmp_path / f"clip{ending}", ".mkv" if ending == ".webm" else ending
        clip = write_clip(tmp_path / f"made{made}", map(numbered, range(FRAMES)), index_in_front=in_front)
        whole = clip.replace(file).read_bytes()
        assert numbers_in(decode(file).images) == list(range(FRAMES)), ending
        lengths = {*range(12, len(whole), len(whole) // 20), *range(len(whole) - 10, len(whole))}
        for length, read in product(lengths, READERS):
            file.write_bytes(whole[:length])
            assert is_refused(file, read, CorruptVideo, f"clip{ending} is incomplete"), (ending, length)


def test_an_old_quicktime_file_has_no_type(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "old.mov", map(numbered, range(FRAMES)), index_in_front=False)
    data = bytearray(file.read_bytes())
    data[4:8] = b"wide"
    file.write_bytes(data)
    assert numbers_in(decode(file).images) == list(range(FRAMES))


DOCTYPE = b"\x42\x82\x88matroska"
EBML = b"\x1a\x45\xdf\xa3" + bytes([0x80 + len(DOCTYPE)]) + DOCTYPE
SEGMENT, LIVE, CLUSTER = EBML + b"\x18\x53\x80\x67", EBML + b"\x18\x53\x80\x67\xff", b"\x1f\x43\xb6\x75"
FRAME = b"00dc\x03\0\0\0abc"
OPEN_AVI = b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffmovi" + FRAME + b"\0"


def test_matroska_and_avi_say_how_long_they_are_or_what_is_in_them_does(tmp_path: Path) -> None:
    # A broadcast's segment does not say how long it is, but what is in it does.
    rows: dict[str, tuple[bytes, ...]] = {
        "matroska": (
            *(SEGMENT + b"\x83abc", SEGMENT + b"\x40\x03abc", LIVE, SEGMENT + b"\x01" + b"\xff" * 7),
            *(EBML + b"\xec\x82ab", LIVE + CLUSTER + b"\x83abc", LIVE + CLUSTER + b"\xff\xa3\x82ab\xa3\x82ab"),
        ),
        "avi": (
            *(b"RIFF\x04\0\0\0AVI ", b"RIFF\x04\0\0\0AVI RIFF\x04\0\0\0AVIX", OPEN_AVI + FRAME),
            b"RIFF\x04\0\0\0AVI " + bytes(100),
        ),
        "incomplete": (
            *(SEGMENT + b"\x83ab", SEGMENT + b"\x40\x03ab", EBML[:6], LIVE + CLUSTER + b"\x83ab"),
            *(LIVE + CLUSTER + b"\xff\xa3\x82ab\xa3\x82a", b"RIFF\x05\0\0\0AVI "),
            *(b"RIFF\x04\0\0\0AVI RIFF\x04\0\0\0AVI", OPEN_AVI + FRAME[:-1]),
        ),
    }
    file = tmp_path / "head.mp4"
    for kind, content in ((kind, content) for kind, contents in rows.items() for content in contents):
        file.write_bytes(content)
        if kind == "incomplete":
            assert is_refused(file, format_of, CorruptVideo, kind), content
        else:
            assert format_of(file) == kind, content


def test_what_is_no_video_is_refused_as_such(tmp_path: Path) -> None:
    file = tmp_path / "page.mp4"
    for data in (b"", b"\0\0\0", b"<html>Expired</html>", b'{"error": 1}', bytes(5000), b"GIF89a" + bytes(50), b"RIFF"):
        file.write_bytes(data)
        for read in (decode, check_mp4):
            assert is_refused(file, read, UnsupportedVideo, "page.mp4"), data
    file.write_bytes(MOOV + MDAT)
    assert is_refused(file, check_mp4, UnsupportedVideo, "page.mp4"), "an old QuickTime file is not an MP4"


START, MOOV, MDAT = box(b"ftyp", b"isom"), box(b"moov", bytes(20)), box(b"mdat", bytes(50))
LARGE = box(b"mdat", bytes(50), large=True)


def test_whole_in_unusual_ways_and_incomplete_in_every_way(tmp_path: Path) -> None:
    whole: tuple[tuple[bytes, ...], ...] = (
        (MOOV, MDAT),
        (MDAT, MOOV),
        (box(b"free"), MOOV, LARGE),
        (box(b"moov", bytes(20), large=True), MDAT),
        # The last box may leave its size open: it reaches to the end.
        (MOOV, box(b"mdat", bytes(50), size=0)),
        (MDAT, box(b"moov", bytes(50), size=0)),
        # Padding behind the last box.
        *((MOOV, MDAT, bytes(length)) for length in (3, 8, 1000)),
        (MOOV, MDAT, box(b"abcd", b"unknown")),
    )
    incomplete: tuple[tuple[tuple[bytes, ...], str], ...] = (
        ((), "no moov/mdat"),
        ((MDAT,), "no moov"),
        ((MOOV,), "no mdat"),
        ((bytes(100),), "no moov/mdat"),
        ((MOOV, bytes(100)), "no mdat"),
        ((MOOV, box(b"moof"), MDAT, box(b"moof")), "no mdat"),
        ((MOOV, MDAT[:-1]), "incomplete"),
        ((MOOV, MDAT, b"\0\0\0\x10fr"), "incomplete"),
        ((MOOV, LARGE[:-1]), "incomplete"),
        ((MOOV, LARGE[:12]), "incomplete"),
        ((MOOV, box(b"mdat", bytes(50), large=True, size=2**63)), "incomplete"),
        ((MOOV, box(b"mdat", bytes(50), size=7)), "incomplete"),
        ((MOOV, box(b"mdat", large=True, size=3)), "incomplete"),
        ((MOOV, box(b"mdat", bytes(10), size=5000)), "it has 58 of at least 5,040 bytes"),
        ((box(b"free") * MAX_BOXES, MOOV, MDAT), "more than 100,000 boxes"),
    )
    for boxes, problem in (*((boxes, "") for boxes in whole), *incomplete):
        (tmp_path / "cut.mp4").write_bytes(START + b"".join(boxes))
        assert is_refused(tmp_path / "cut.mp4", check_mp4, CorruptVideo, problem) == bool(problem), (problem, boxes[:2])


def test_a_file_that_cannot_be_read_just_now_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "clip.mp4"
    for number in (errno.EACCES, errno.EIO, errno.ENOENT):
        reason = os.strerror(number)
        words = "is not there any more" if number == errno.ENOENT else f"cannot be read just now ({reason})"
        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", Mock(side_effect=OSError(number, reason)))
            for read in (decode, probe):
                assert is_refused(file, read, VideoError, f"{file} {words}. Bring its drive back"), number
            with pytest.raises(OSError, match=reason):
                check_mp4(file)  # by which jobs tell a drive that is away from a file that is gone


def test_an_unfinished_download_is_called_by_the_name_that_it_is_to_get(tmp_path: Path) -> None:
    file = tmp_path / ".job-1.mp4.0a1b2c3d.part"
    for content, problem in ((b"<html>", "is not an MP4"), (TINY_MP4[:-1], "is incomplete")):
        file.write_bytes(content)
        with pytest.raises(VideoError, match=f"^job-1.mp4 {problem}"):
            check_mp4(file)
