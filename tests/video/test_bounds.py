"""Files that are made to keep a reader busy: each is answered after a bounded number of steps."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from nodes.video import boxes
from nodes.video.edits import MOST_EDITS, MOST_FRAMES, shown_frames
from nodes.video.errors import CorruptVideo
from nodes.video.interlaced import may_be_interlaced
from nodes.video.mp4 import check_mp4
from tests.support.clips import in_box, numbered, overwrite, write_clip
from tests.support.mp4_boxes import box

MANY = 48


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "odd.mp4", map(numbered, range(MANY)))


def table(count: int, *rows: tuple[int, int]) -> bytes:
    return struct.pack(">II", 0, count) + b"".join(struct.pack(">II", *row) for row in rows)


def index(frames: int, edits: int, *, inside: bytes = b"") -> bytes:
    """An index with so many frames of one tick each and so many edits that each show all of them."""
    header = struct.pack(">IIIII", 0, 0, 0, 1, frames)
    edit = struct.pack(">IIII", 0, edits, frames, 0) + bytes(4) + struct.pack(">III", frames, 0, 0) * (edits - 1)
    handler = box(b"hdlr", bytes(8) + b"vide")
    minf = box(b"minf", box(b"stbl", inside + box(b"stts", table(1, (frames, 1)))))
    track = box(b"edts", box(b"elst", edit)) + box(b"mdia", box(b"mdhd", header) + handler + minf)
    return box(b"moov", box(b"mvhd", header) + box(b"trak", track))


def test_too_many_boxes_are_not_all_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "flood.mp4"
    file.write_bytes(box(b"ftyp", b"isom") + box(b"free") * boxes.MOST_BOXES + box(b"moov") + box(b"mdat"))
    with pytest.raises(CorruptVideo, match="too many pieces"):
        check_mp4(file)
    assert shown_frames(file) is None


def test_nor_inside_of_the_index(tmp_path: Path) -> None:
    file = tmp_path / "flood.mp4"
    file.write_bytes(index(100, 1, inside=box(b"free") * boxes.MOST_BOXES))
    assert shown_frames(file) is None
    file.write_bytes(index(100, 1, inside=box(b"free") * (boxes.MOST_BOXES - 2)))
    assert shown_frames(file) == 100


def test_the_most_edits_of_the_most_frames_are_counted_without_looking_at_each(tmp_path: Path) -> None:
    """One by one they would be a thousand million."""
    file = tmp_path / "edits.mp4"
    file.write_bytes(index(MOST_FRAMES, MOST_EDITS))
    assert shown_frames(file) == MOST_FRAMES * MOST_EDITS


def test_a_table_of_offsets_that_ends_early_hides_no_frame(file: Path) -> None:
    assert shown_frames(file) == MANY
    overwrite(file, in_box(file, b"ctts", 4), struct.pack(">I", 1))
    assert shown_frames(file) is None


def parameter_set(zeros: int) -> bytes:
    """A sequence parameter set that allows fields, whose first number begins with so many zeros."""
    bits = "0" * zeros + "1" + "0" * zeros + "1" + "1" + "1" + "1" + "0" + "1" + "1" + "0"
    content = int(bits + "1" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8), "big")
    return b"\0\0\1\x67\x42\xff\x1e" + content


def test_a_number_of_a_million_bits_is_none() -> None:
    """To build it would take minutes."""
    assert may_be_interlaced("h264", parameter_set(3))
    assert may_be_interlaced("h264", parameter_set(32))
    assert not may_be_interlaced("h264", parameter_set(33))
    assert not may_be_interlaced("h264", parameter_set(1_000_000))
