"""How many frames an edit list leaves, and that no index, however broken, breaks the reader."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.video.decode import decode
from nodes.video.edits import MOST_EDITS, MOST_FRAMES, shown_frames
from tests.support.clips import number_in
from tests.support.mp4_boxes import box

START, PAUSE = 0, -1
FRAME = 512
"""Ticks of the track; 24 * 512 of them are a second, and the movie's own are milliseconds."""


def table(kind: bytes, form: str, *rows: tuple[int, ...], version: int = 0, count: int | None = None) -> bytes:
    """A box that holds a list; ``count`` states another length than the true one."""
    said = len(rows) if count is None else count
    return box(kind, struct.pack(">II", version << 24, said) + b"".join(struct.pack(form, *row) for row in rows))


def index(
    edits: bytes, *, handler: bytes = b"vide", durations: bytes | None = None, offsets: bytes = b"", frames: int = 12
) -> bytes:
    """The index of a track that claims to last for so many ``frames``, 12 if not told."""
    stts = table(b"stts", ">II", (12, FRAME)) if durations is None else durations
    media = box(b"mdhd", bytes(12) + struct.pack(">II", 24 * FRAME, frames * FRAME))
    kind = box(b"hdlr", bytes(8) + handler + bytes(12))
    track = box(b"edts", edits) + box(b"mdia", media + kind + box(b"minf", box(b"stbl", stts + offsets)))
    return box(b"moov", box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 500)) + box(b"trak", track))


def shown(moov: bytes, folder: Path) -> int | None:
    file = folder / "indexed.mp4"
    file.write_bytes(box(b"ftyp", b"isom") + moov + box(b"mdat"))
    return shown_frames(file)


@pytest.mark.parametrize(
    ("edits", "frames"),
    [
        ([(500, START)], 12),
        ([(250, START)], 6),
        ([(250, 6 * FRAME)], 6),
        ([(500, 3 * FRAME)], 9),
        ([(100, PAUSE), (250, START)], 6),
        ([(125, START), (125, 6 * FRAME)], 6),
        ([(250, START), (250, START)], 12),
        ([(250, 100 * FRAME)], 0),
        ([], 0),
    ],
)
@pytest.mark.parametrize(("version", "form"), [(0, ">IiI"), (1, ">QqI")])
def test_the_frames_inside_the_edits_count(
    tmp_path: Path, edits: list[tuple[int, int]], frames: int, version: int, form: str
) -> None:
    rows = [(*edit, 1 << 16) for edit in edits]
    assert shown(index(table(b"elst", form, *rows, version=version)), tmp_path) == frames


def test_frames_count_by_when_they_are_shown_not_by_where_they_are_stored(tmp_path: Path) -> None:
    """Stored 0 3 1 2, as with B-frames: the first half of the clip is two frames all the same."""
    moov = index(
        table(b"elst", ">IiI", (83, START, 1 << 16)),
        durations=table(b"stts", ">II", (4, FRAME)),
        offsets=table(b"ctts", ">Ii", (1, 0), (1, 2 * FRAME), (2, -FRAME)),
        frames=4,
    )
    assert shown(moov, tmp_path) == 2


def test_without_edits_all_frames_are_shown(tmp_path: Path) -> None:
    assert shown(index(b""), tmp_path) == 12


@pytest.mark.parametrize(
    "moov",
    [
        index(table(b"elst", ">IiI", (250, START, 1)), frames=10),
        index(table(b"elst", ">IiI", (250, START, 1)), durations=table(b"stts", ">II", (12, 0))),
        index(b"", frames=500),
        index(table(b"elst", ">IiI", (250, START, 1)), handler=b"soun"),
        index(table(b"elst", ">IiI", (250, START, 1)), durations=b""),
        index(table(b"elst", ">IiI", (250, START, 1), count=2)),
        index(table(b"elst", ">IiI", *[(1, START, 1)] * (MOST_EDITS + 1))),
        index(table(b"elst", ">IiI", (250, START, 1)), durations=table(b"stts", ">II", (MOST_FRAMES + 1, 1))),
        index(table(b"elst", ">IiI", (250, START, 1)), durations=table(b"stts", ">II", count=2**32 - 1)),
        index(box(b"elst")),
        box(b"moov"),
    ],
)
def test_an_index_that_tells_nothing_believable_says_nothing(tmp_path: Path, moov: bytes) -> None:
    assert shown(moov, tmp_path) is None


WHOLE = index(table(b"elst", ">IiI", (250, START, 1 << 16)), offsets=table(b"ctts", ">Ii", (12, 0)))


@given(at=st.integers(8, len(WHOLE) - 1), end=st.integers(8, len(WHOLE)), junk=st.binary(min_size=1, max_size=8))
def test_damage_anywhere_gives_a_number_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, at: int, end: int, junk: bytes
) -> None:
    content = (WHOLE[:at] + junk + WHOLE[at + len(junk) :])[8:end]
    found = shown(box(b"moov", content), tmp_path_factory.getbasetemp())
    assert found is None or found >= 0


def test_a_real_clip_with_an_edit_list_gives_the_frames_that_are_shown(tmp_path: Path, clip: Path) -> None:
    """The clip's own edit list is made to begin at its fifth frame."""
    data = clip.read_bytes()
    place = data.index(b"elst") + 4
    version, count, length, start = struct.unpack_from(">IIIi", data, place)
    assert (version, count) == (0, 1)
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 4 + 12)[0]
    movie = struct.unpack_from(">I", data, data.index(b"mvhd") + 4 + 12)[0]
    later = struct.pack(">IIIi", 0, 1, length - 4 * movie // 24, start + int(4 * Fraction(scale, 24)))
    file = tmp_path / "edited.mp4"
    file.write_bytes(data[:place] + later + data[place + len(later) :])
    frames = decode(file).images.numpy()
    assert [number_in(frame) for frame in frames] == list(range(4, 12))
    assert shown_frames(file) == len(frames)
