"""Files that lie, hide or miss something: the right frames or a clear error, and never a shorter clip."""

from __future__ import annotations

import random
import struct
from fractions import Fraction
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from nodes.video.decode import Selection, decode
from nodes.video.errors import CorruptVideo, UnsupportedVideo
from nodes.video.opencv import codec
from tests.support.clips import in_box, numbered, numbers_in, overwrite, write_clip
from tests.video.conftest import FRAMES

MANY = 48


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of 48 numbered frames with its index in front, to be spoilt."""
    return write_clip(tmp_path / "odd.mp4", map(numbered, range(MANY)))


def frames_or_refusal(file: Path) -> list[int] | None:
    """The numbers of the frames; None where the file is refused by its name."""
    try:
        return numbers_in(decode(file).images)
    except (CorruptVideo, UnsupportedVideo) as refused:
        assert file.name in str(refused)  # noqa: PT017  a refusal is one of two right answers
        return None


ABSURD = 2**31 - 1
HARMLESS = [
    (b"mvhd", 16, 0),
    (b"mvhd", 16, 2**32 - 1),
    (b"tkhd", 20, 0),
    (b"tkhd", 20, 2**32 - 1),
    (b"mdhd", 16, 0),
    (b"mdhd", 16, 2**32 - 1),
    (b"stts", 8, ABSURD),
    (b"tkhd", 76, 60000 << 16),
    (b"stsd", 40, 8000 << 16 | 4000),
    (b"stsd", 40, 16 << 16 | 16),
]


@pytest.mark.parametrize(("box", "offset", "value"), HARMLESS)
def test_a_header_may_lie_about_length_and_size(file: Path, box: bytes, offset: int, value: int) -> None:
    expected = decode(file).images
    overwrite(file, in_box(file, box, offset), struct.pack(">I", value))
    assert torch.equal(decode(file).images, expected)


@pytest.mark.parametrize(
    ("box", "offset", "value"),
    [
        *((b"stsz", 8, count) for count in (0, 1, 10, MANY - 1, MANY + 1, 500, ABSURD, 2**32 - 1)),
        *((b"stts", 8, count) for count in (0, 1, 10, MANY - 1)),
        *((b"stts", 4, rows) for rows in (0, 2**32 - 1)),
        *((b"stts", 12, ticks) for ticks in (0, 1, ABSURD, 2**32 - 1)),
        *((b"mdhd", 12, scale) for scale in (0, 2**32 - 1)),
        *((b"stsc", 12, count) for count in (0, 1, ABSURD)),
        *((b"stco", 4, count) for count in (0, ABSURD)),
        (b"stco", 8, ABSURD),
        (b"stsd", 12, 2**32 - 1),
        (b"elst", 8, 0),
    ],
)
def test_an_index_that_lies_never_makes_a_shorter_clip(file: Path, box: bytes, offset: int, value: int) -> None:
    overwrite(file, in_box(file, box, offset), struct.pack(">I", value))
    assert frames_or_refusal(file) in (None, list(range(MANY)))


def test_missing_frames_are_told_even_where_none_of_them_is_wanted(file: Path) -> None:
    overwrite(file, in_box(file, b"stsz", 8), struct.pack(">I", 10))
    with pytest.raises(CorruptVideo, match="has 10 of the 48 frames"):
        decode(file, Selection(frame_load_cap=5))


def test_a_codec_that_spoilt_bytes_stand_for_has_a_name_too() -> None:
    """OpenCV tells it as a signed number."""
    assert codec(Mock(get=Mock(return_value=-1.0))) == "\xff" * 4


@pytest.mark.parametrize("hidden", [1, 4, 20])
def test_frames_that_an_edit_list_hides_are_not_missing(file: Path, hidden: int) -> None:
    place = in_box(file, b"elst", 0)
    version, count, length, start = struct.unpack_from(">IIIi", file.read_bytes(), place)
    assert (version, count) == (0, 1)
    movie, track = (struct.unpack_from(">I", file.read_bytes(), in_box(file, box, 12))[0] for box in (b"mvhd", b"mdhd"))
    later = start + int(hidden * Fraction(track, 24))
    overwrite(file, place, struct.pack(">IIIi", 0, 1, length - hidden * movie // 24, later))
    clip = decode(file)
    assert numbers_in(clip.images) == list(range(hidden, MANY))
    assert clip.fps == pytest.approx(24)
    assert numbers_in(decode(file, Selection(2, 3, 5)).images) == [hidden + 2, hidden + 7, hidden + 12]


@pytest.mark.parametrize("index_in_front", [True, False], ids=["index-in-front", "index-behind"])
def test_cut_anywhere_it_is_never_a_shorter_clip(tmp_path: Path, index_in_front: bool) -> None:
    whole = write_clip(tmp_path / "whole.mp4", map(numbered, range(FRAMES)), index_in_front=index_in_front).read_bytes()
    file = tmp_path / "cut.mp4"
    for length in {*range(0, len(whole), len(whole) // 40), *range(len(whole) - 10, len(whole))}:
        file.write_bytes(whole[:length])
        with pytest.raises((CorruptVideo, UnsupportedVideo), match=r"cut\.mp4"):
            decode(file)


@pytest.mark.parametrize("seed", range(40))
def test_damage_inside_the_pictures_is_an_error_or_all_frames(file: Path, seed: int) -> None:
    chance = random.Random(seed)
    size = chance.choice([1, 4, 32, 200])
    place = chance.randrange(in_box(file, b"mdat", 0), len(file.read_bytes()) - size)
    overwrite(file, place, chance.randbytes(size))
    found = frames_or_refusal(file)
    assert found is None or len(found) == MANY
