"""A whole MP4 passes; whatever misses a part does not."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.video.errors import CorruptVideo, UnsupportedVideo, VideoError
from nodes.video.mp4 import MAX_BOXES, check_mp4, is_mp4
from tests.support.clips import numbered, write_clip
from tests.support.mp4_boxes import box

START = box(b"ftyp", b"isom")
MOOV = box(b"moov", bytes(20))
MDAT = box(b"mdat", bytes(50))


@pytest.fixture(params=[True, False], ids=["index-in-front", "index-at-the-end"])
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_clip(tmp_path / "whole.mp4", map(numbered, range(3)), index_in_front=request.param)


def test_a_real_one_is_whole(whole: Path) -> None:
    check_mp4(whole)


def test_cut_anywhere_it_is_never_taken_for_whole(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    for length in {*range(40), *range(40, len(data), 97), *range(len(data) - 40, len(data))}:
        cut.write_bytes(data[:length])
        with pytest.raises(UnsupportedVideo if length < 8 else CorruptVideo):
            check_mp4(cut)


@pytest.mark.parametrize(
    "boxes",
    [
        (START, MOOV, MDAT),
        (START, MDAT, MOOV),
        (START, box(b"free"), MOOV, box(b"mdat", bytes(50), large=True)),
        (START, box(b"moov", bytes(20), large=True), MDAT),
        # The last box may leave its size open: it reaches to the end.
        (START, MOOV, box(b"mdat", bytes(50), size=0)),
        (START, MDAT, box(b"moov", bytes(50), size=0)),
        # Padding behind the last box.
        (START, MOOV, MDAT, bytes(3)),
        (START, MOOV, MDAT, bytes(8)),
        (START, MOOV, MDAT, bytes(1000)),
        (START, MOOV, MDAT, box(b"abcd", b"unknown")),
    ],
)
def test_whole_in_unusual_ways(tmp_path: Path, boxes: tuple[bytes, ...]) -> None:
    file = tmp_path / "odd.mp4"
    file.write_bytes(b"".join(boxes))
    check_mp4(file)


@pytest.mark.parametrize(
    ("boxes", "problem"),
    [
        ((START,), "no moov and no mdat"),
        ((START, MDAT), "no moov"),
        ((START, MOOV), "no mdat"),
        ((START, bytes(100)), "no moov and no mdat"),
        ((START, MOOV, bytes(100)), "no mdat"),
        ((START, MOOV, MDAT[:-1]), "incomplete"),
        ((START, MOOV, MDAT, b"\0\0\0\x10fr"), "incomplete"),
        ((START, MOOV, box(b"mdat", bytes(50), large=True)[:-1]), "incomplete"),
        ((START, MOOV, box(b"mdat", bytes(50), large=True, size=2**63)), "incomplete"),
        ((START, MOOV, box(b"mdat", bytes(50), large=True)[:12]), "incomplete"),
        ((START, MOOV, box(b"mdat", bytes(50), size=7)), "incomplete"),
        ((START, MOOV, box(b"mdat", large=True, size=3)), "incomplete"),
    ],
)
def test_incomplete_in_every_way(tmp_path: Path, boxes: tuple[bytes, ...], problem: str) -> None:
    file = tmp_path / "cut.mp4"
    file.write_bytes(b"".join(boxes))
    with pytest.raises(CorruptVideo, match=problem):
        check_mp4(file)


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0", b"<html><body>Expired</body></html>", b"GIF89a" + bytes(50), MOOV + MDAT, b'{"error": 1}']
)
def test_what_is_no_mp4_at_all(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "page.mp4"
    file.write_bytes(data)
    assert not is_mp4(file)
    with pytest.raises(UnsupportedVideo, match=r"page\.mp4"):
        check_mp4(file)


def test_too_many_boxes_are_not_all_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "flood.mp4"
    file.write_bytes(START + box(b"free") * MAX_BOXES + MOOV + MDAT)
    with pytest.raises(CorruptVideo, match="more than 100,000 boxes"):
        check_mp4(file)


def test_the_message_tells_how_much_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "cut.mp4"
    file.write_bytes(START + MOOV + box(b"mdat", bytes(10), size=5000))
    with pytest.raises(CorruptVideo, match="it has 58 of at least 5,040 bytes"):
        check_mp4(file)


BOX = st.builds(
    lambda kind, content, large: box(kind, content, large=large),
    st.sampled_from([b"moov", b"mdat", b"free", b"moof"]),
    st.binary(max_size=20),
    st.booleans(),
)


@given(boxes=st.lists(BOX | st.binary(max_size=20), max_size=6))
def test_any_bytes_are_whole_or_a_video_error(tmp_path_factory: pytest.TempPathFactory, boxes: list[bytes]) -> None:
    file = tmp_path_factory.getbasetemp() / "any.mp4"
    file.write_bytes(START + b"".join(boxes))
    with suppress(VideoError):
        check_mp4(file)
