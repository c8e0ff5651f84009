"""What an index announces is judged before FFmpeg makes room for it."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from nodes.video import boxes, index
from nodes.video.decode import decode
from nodes.video.errors import CorruptVideo, UnsupportedVideo
from nodes.video.index import MOST_SAMPLES, MOST_TRACKS, check_index
from tests.support.bombs import ABSURD, compressed, fragment, fragmented, inserted, one_size, uncompressed_sound
from tests.support.clips import Coding, in_box, numbered, numbers_in, overwrite, write_clip
from tests.support.mp4_boxes import box
from tests.video.conftest import FRAMES

ROOT = Path(__file__).parents[2]
LIMITED = """
import resource, sys
from pathlib import Path
import cv2, torch
from nodes.video.decode import decode
from nodes.video.errors import VideoError

def taken():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = taken()
size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 2**30,) * 2)
try:
    decode(Path(sys.argv[1]))
except VideoError as error:
    print(f"{taken() - before} {error}")
"""


def full(kind: bytes, *numbers: int) -> bytes:
    return box(kind, struct.pack(f">{len(numbers) + 1}I", 0, *numbers))


@pytest.mark.skipif(sys.platform != "linux", reason="a process's memory is limited otherwise there, or not at all")
@pytest.mark.parametrize(
    ("bomb", "refusal"),
    [
        (one_size, "announces 80,000,000 samples"),
        (fragment, r"announces 80,000,\d+ samples"),
        (compressed, "has a cmov box"),
    ],
)
def test_a_small_file_takes_little_time_and_memory(tmp_path: Path, bomb: Callable[[Path], Path], refusal: str) -> None:
    file = bomb(tmp_path / "bomb.mp4")
    assert file.stat().st_size < 10_000
    told = subprocess.run(
        [sys.executable, "-c", LIMITED, str(file)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    megabytes, _, said = told.partition(" ")
    assert re.search(refusal, said)
    assert int(megabytes) < 100


@pytest.fixture
def unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg does not get to see a file."""

    def opened(*args: object) -> cv2.VideoCapture:
        raise AssertionError("it was opened")

    monkeypatch.setattr(cv2, "VideoCapture", opened)


SIZES = full(b"stsz", 100, ABSURD)
LARGE = box(b"stsz", struct.pack(">III", 0, 100, ABSURD), large=True)
EDITS = box(b"edts", full(b"elst", 300, *(1, 0, 1 << 16) * 300))
REFERENCES = full(b"sidx", 1, 24, 0, 0, 50_000, *(0, 0, 0) * 50)
STILLS = struct.pack(">II", 1 << 24, ABSURD)


ANYWHERE: dict[str, tuple[bytes, bytes]] = {
    "beside the index": (b"moov", SIZES),
    "in a track outside of the index": (b"moov", box(b"trak", box(b"udta", SIZES))),
    "in front of the tracks": (b"mvhd", SIZES),
    "in a track": (b"mdia", SIZES),
    "where it belongs": (b"stts", SIZES),
    "with a long size": (b"stts", LARGE),
    "in the other form": (b"stts", SIZES[:4] + b"stz2" + SIZES[8:]),
    "longer than what it is in": (b"stts", struct.pack(">I", 5000) + SIZES[4:]),
    "in remarks": (b"mdia", box(b"meta", full(b"hdlr", 0, 0) + SIZES)),
    "in remarks with a version": (b"mdia", box(b"meta", bytes(4) + full(b"hdlr", 0, 0) + SIZES)),
    "in a description of sound": (b"mdia", box(b"wave", SIZES)),
    "many times by edits": (b"mdia", EDITS + full(b"stsz", 100, 1000)),
    "in references to fragments": (b"mdat", REFERENCES),
    "in a fragment": (b"mdat", box(b"moof", box(b"traf", full(b"trun", ABSURD)))),
    "in half a fragment": (b"mdat", box(b"traf", full(b"trun", ABSURD))),
}


@pytest.mark.usefixtures("unopened")
@pytest.mark.parametrize(("kind", "content"), ANYWHERE.values(), ids=ANYWHERE.keys())
def test_it_counts_wherever_it_stands(tmp_path: Path, clip: Path, kind: bytes, content: bytes) -> None:
    file = tmp_path / "bomb.mp4"
    file.write_bytes(inserted(clip.read_bytes(), kind, content))
    with pytest.raises(
        CorruptVideo, match=r"^The index of bomb\.mp4 announces [\d,]+ samples, and [\d,]+ are the most"
    ):
        decode(file)


@pytest.mark.usefixtures("unopened")
@pytest.mark.parametrize(
    ("kind", "content", "named"),
    [
        (b"mdat", box(b"hoov"), "hoov"),
        (b"mdat", box(b"meta", bytes(4) + full(b"hdlr", 0, 0) + box(b"iinf", STILLS)), "iinf"),
        (b"mdia", box(b"meta", full(b"hdlr", 0, 0) + box(b"iloc", STILLS)), "iloc"),
        (b"mdia", box(b"cmov"), "cmov"),
        (b"avcC", SIZES, "stsz"),
        (b"avcC", box(b"sinf"), "sinf"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_read_is_told_by_its_name(
    tmp_path: Path, clip: Path, kind: bytes, content: bytes, named: str
) -> None:
    data = clip.read_bytes()
    file = tmp_path / "odd.mp4"
    # The description of the coding, into which `boxes` does not look, has `avcC` as its first box.
    file.write_bytes(described_with(data, content) if kind == b"avcC" else inserted(data, kind, content))
    with pytest.raises(UnsupportedVideo, match=f"^odd.mp4 has a {named} box, which this node does not read"):
        decode(file)


def described_with(data: bytes, content: bytes) -> bytes:
    """A file with boxes put behind those that describe its coding."""
    data = inserted(data, b"stts", content)
    start = data.index(b"stsd") - 4
    (size,) = struct.unpack_from(">I", data, start)
    (entry,) = struct.unpack_from(">I", data, start + 16)
    longer = struct.pack(">I", size + len(content)) + data[start + 4 : start + 16]
    return data[:start] + longer + struct.pack(">I", entry + len(content)) + data[start + 20 :]


BROKEN: dict[str, tuple[bytes, bytes]] = {
    "too many tracks": (b"mdat", box(b"trak") * MOST_TRACKS),
    "key frames": (b"mdia", full(b"stss", 3, 1, 2)),
    "offsets": (b"mdia", full(b"ctts", 2, 1, 0, 1)),
    "sizes": (b"mdia", full(b"stsz", 100)),
    "a run": (b"mdia", full(b"trun")),
    "no references": (b"mdat", box(b"sidx")),
    "references": (b"mdat", full(b"sidx", 1, 24)),
}


@pytest.mark.usefixtures("unopened")
@pytest.mark.parametrize(("kind", "content"), BROKEN.values(), ids=BROKEN.keys())
def test_a_table_that_ends_early_and_too_many_tracks_are_damage(
    tmp_path: Path, clip: Path, kind: bytes, content: bytes
) -> None:
    """FFmpeg would read on behind the box."""
    file = tmp_path / "odd.mp4"
    file.write_bytes(inserted(clip.read_bytes(), kind, content))
    with pytest.raises(CorruptVideo, match=r"^The index of odd\.mp4 is broken"):
        decode(file)


@pytest.mark.parametrize(("name", "value"), [("MOST_BOXES_IN_ALL", 20), ("MOST_BYTES", 500)])
def test_too_much_of_an_index_is_damage(clip: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    monkeypatch.setattr(index if hasattr(index, name) else boxes, name, value)
    with pytest.raises(CorruptVideo, match="is broken"):
        check_index(clip)


def test_several_tracks_count_together(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "tracks.mp4"
    for tracks, samples in ((3, 1000), (3, 4000)):
        track = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", full(b"stsz", 100, samples)))))
        file.write_bytes(inserted(clip.read_bytes(), b"trak", track * tracks) + box(b"free", bytes(4000)))
        assert (file.stat().st_size > tracks * samples) == (samples == 1000)
        if samples == 1000:
            check_index(file)
        else:
            with pytest.raises(CorruptVideo, match="announces 12,012 samples"):
                check_index(file)


def test_a_large_file_may_announce_no_more_than_anyone_watches(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "long.mp4"
    file.write_bytes(inserted(clip.read_bytes(), b"mdat", full(b"trun", MOST_SAMPLES)))
    with file.open("ab") as stream:
        stream.write(struct.pack(">I4sQ", 1, b"free", 16 + 8 * MOST_SAMPLES))
        stream.truncate(stream.tell() + 8 * MOST_SAMPLES)
    with pytest.raises(CorruptVideo, match="announces 4,000,012 samples, and 4,000,000 are the most"):
        check_index(file)
    overwrite(file, in_box(file, b"trun", 4), struct.pack(">I", MOST_SAMPLES - FRAMES))
    check_index(file)


def test_fragments_pass(tmp_path: Path) -> None:
    file = fragmented(tmp_path / "fragments.mp4")
    assert b"moof" in file.read_bytes()
    assert numbers_in(decode(file).images) == list(range(FRAMES))


def test_sound_passes(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "sound.mp4", map(numbered, range(FRAMES)), coding=Coding(sound=True))
    assert numbers_in(decode(file).images) == list(range(FRAMES))


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with 48,000 samples of sound, where 10,000 are too many."""
    monkeypatch.setattr(index, "MOST_SAMPLES", 10_000)
    return uncompressed_sound(tmp_path / "raw.mov")


def test_uncompressed_sound_passes_although_each_of_its_samples_is_announced(raw: Path) -> None:
    assert struct.pack(">II", 2, 48_000) in raw.read_bytes()
    assert numbers_in(decode(raw).images) == list(range(FRAMES))


@pytest.mark.parametrize(
    "content",
    [
        full(b"hdlr", 0, int.from_bytes(b"vide", "big")),
        box(b"hdlr"),
        full(b"stts", 1, 48_000, 2),
        full(b"stts", 0),
        full(b"stsz", 2, 48_000),
        full(b"stsc", 1, 1, 48_000, 1),
        full(b"stco", 0),
        full(b"co64", 0),
        full(b"stz2", 16, 0),
    ],
    ids=lambda content: content[4:8].decode(),
)
def test_what_only_passes_for_uncompressed_sound_does_not(raw: Path, content: bytes) -> None:
    """FFmpeg goes by the last of several boxes, so there may be one of each only."""
    raw.write_bytes(in_sound(raw.read_bytes(), content))
    with pytest.raises(CorruptVideo, match="announces"):
        check_index(raw)


@pytest.mark.parametrize(("box", "offset", "value"), [(b"stts", 4, 0), (b"stts", 12, 2), (b"stsc", 8, 2)])
def test_nor_does_sound_whose_tables_say_something_else(raw: Path, box: bytes, offset: int, value: int) -> None:
    overwrite(raw, raw.read_bytes().rindex(box) + 4 + offset, struct.pack(">I", value))
    with pytest.raises(CorruptVideo, match="announces 48,012"):
        check_index(raw)


@pytest.mark.parametrize(
    ("runs", "announced"),
    [
        ([(1, 24_000), (2, 24_000)], 0),
        ([(1, 24_000), (1, 24_000)], 48_012),
        ([(2, 24_000)], 48_012),
        ([(1, 24_000), (3, 24_000)], 48_012),
        # Packets of 160 samples at least, and one more for the rest, in each of the two.
        ([(1, 2**32 - 1)], 12 + 2 * (2**32 // 160 + 1)),
        ([(1, 160), (2, 2**32 - 1)], 12 + 2 + 2**32 // 160 + 1),
    ],
)
def test_uncompressed_sound_counts_by_the_packets_that_ffmpeg_makes_of_it(
    raw: Path, runs: list[tuple[int, int]], announced: int
) -> None:
    data = raw.read_bytes()
    for table in (b"stsc", b"stco"):
        place = data.rindex(table)
        data = data[:place] + b"free" + data[place + 4 :]
    rows = [number for first, samples in runs for number in (first, samples, 1)]
    raw.write_bytes(in_sound(data, full(b"stsc", len(runs), *rows) + full(b"stco", 2, 0, 0)))
    if not announced:
        check_index(raw)
    else:
        with pytest.raises(CorruptVideo, match=f"announces {announced:,} samples"):
            check_index(raw)


def in_sound(data: bytes, content: bytes) -> bytes:
    """The file of `uncompressed_sound` with boxes put into its track of sound, the last one of its index."""
    sound, moov = data.rindex(b"trak") - 4, data.rindex(b"moov") - 4
    (size,) = struct.unpack_from(">I", data, moov)
    longer = struct.pack(">I", size + len(content))
    return data[:moov] + longer + data[moov + 4 : sound] + inserted(data[sound:], b"minf", content)
