"""What the files of videos are called, on every system, and that no name is taken for another job's."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

from nodes.jobs.decide import Disk
from nodes.jobs.records import JobRecord, RequestKey, State
from nodes.jobs.video_files import LINK_PREFIX, MAX_NAME, VideoFolder, file_names, request_id_of, text_in_name
from nodes.runcomfy.request import MAX_SEED, GenerationRequest
from tests.support.tiny_mp4 import TINY_MP4

NOON = 1_795_694_400.0
"""On 2026-11-26 in UTC, and in all but the easternmost places."""
ID = "0a1b2c3d-0000-4000-8000-0123456789ab"
FOX = GenerationRequest("Fox trots through fresh snow", seed=7)
RECORD = JobRecord(1, "1", RequestKey("", "", ""), "", State.SAVED, FOX, ID, created=NOON)
MAX_BYTES = 143 - len(".") - len(".01234567.part")

TEXTS = {
    # A prompt: its part in the name.
    "Fox trots through fresh snow": "fox-trots-through-fresh-snow",
    "A fox, trotting slowly through the fresh, deep snow": "a-fox-trotting-slowly-through-the-fresh",
    "  spaces \t and\nlines  ": "spaces-and-lines",
    "CON": "con",
    'a/b\\c:d*e?f"g<h>i|j': "a-b-c-d-e-f-g-h-i-j",
    "../../etc/passwd": "etc-passwd",
    "ends with dots...": "ends-with-dots",
    "the fox's don’t": "the-foxs-dont",
    "nul\0 \x1b[31mred\x7f": "nul-31mred",
    "🦊": "",
    "a 🦊 fox 👩‍👩‍👧 ❤️ 7️⃣": "a-fox-7",
    "Cafe\u0301 Zürich": "café-zürich",
    "ثعلب يركض في الثلج": "ثعلب-يركض-في-الثلج",
    "شیر می‌دود": "شیر-میدود",
    "\u202egnp.exe\u202c \u200fשועל": "gnp-exe-שועל",
    "बर्फ में दौड़ती लोमड़ी": "बर्फ-में-दौड़ती-लोमड़ी",
    "一只狐狸在清晨的新雪中小跑，留下一串脚印，镜头缓慢推进": "一只狐狸在清晨的新雪中小跑-留下一串脚印",
    "雪" * 50: "雪" * 20,
    "x" * 50: "x" * 40,
    "𝒇" * 50: "𝒇" * 15,
    "...": "",
}


def named(request_id: str) -> tuple[str, ...]:
    return file_names(replace(RECORD, request_id=request_id), 2, 0)


def test_a_text_in_a_name() -> None:
    for text, expected in TEXTS.items():
        name = text_in_name(text)
        assert name == unicodedata.normalize("NFC", expected), text
        assert len(name) <= 40, text


def test_a_name_says_the_day_the_text_and_the_seed_and_ends_with_the_id() -> None:
    first, second = named(ID)
    assert first == f"20261126-fox-trots-through-fresh-snow-s7-{ID}.mp4"
    assert second == f"20261126-fox-trots-through-fresh-snow-s7-{ID}-2.mp4"
    assert file_names(replace(RECORD, request=None, created=0.0), 1, NOON) == (f"20261126-{ID}.mp4",)
    assert file_names(RECORD, 0, 0) == ()


def test_a_name_that_is_written_down_stays() -> None:
    for written, count, expected in (
        ((f"{ID}.mp4",), 1, (f"{ID}.mp4",)),
        ((f"{ID}.mp4",), 2, (f"{ID}.mp4", named(ID)[1])),
        ((f"{ID}.mp4", f"{ID}-2.mp4"), 1, (f"{ID}.mp4",)),
    ):
        assert file_names(replace(RECORD, files=written), count, 0) == expected, written


def test_the_longest_names_are_as_long_as_is_said_and_fit_everywhere() -> None:
    for text in TEXTS:
        request = GenerationRequest(text, seed=MAX_SEED)
        *_, longest = file_names(replace(RECORD, request=request), 16, 0)
        assert len(longest.encode("utf-16-le")) // 2 <= MAX_NAME, text
        assert len(longest.encode()) <= MAX_BYTES, text
        (odd,) = file_names(replace(RECORD, request=request, request_id="x" * 128), 1, 0)
        assert len(odd.encode()) + len("..01234567.part") <= 255, text
    assert len(file_names(replace(RECORD, request=GenerationRequest("x" * 50, seed=MAX_SEED)), 16, 0)[-1]) == MAX_NAME


def test_the_id_is_read_out_of_a_name() -> None:
    for request_id in (ID, "job-1", "job-12", "Job-1", ID.upper(), "x" * 128, "a_b", "s7"):
        for name in named(request_id):
            assert request_id_of(Path(name)) == request_id, name
    for name, expected in {
        f"{ID}.mp4": ID,
        f"{ID}-2.mp4": ID,
        f"renamed by its user-{ID}.mp4": ID,
        "job-1.mp4": "job-1",
        "job-1-3.mp4": "job-1",
        f"{LINK_PREFIX}0123456789abcdef.mp4": "",
        "my holiday.mp4": "",
        f"20261126-fox-s7-{ID}.mp4.960x960.01234567.mp4": "",
        "a~01234567.mp4": "",
    }.items():
        assert request_id_of(Path(name)) == expected, name


def test_a_file_is_found_by_the_id_alone_and_only_by_its_own(tmp_path: Path) -> None:
    """Also where the disk does not tell upper case from lower: there two names that differ so are one file."""
    ids = (ID, ID.upper(), "job-1", "job-1-2", "Job-1", "1", "s7-job-1", "job")
    names = [name for request_id in ids for name in named(request_id)]
    assert len({name.lower() for name in names}) == len(names), "two jobs share a file"
    for name in (*names, f"._{names[0]}", f".{names[0]}.01234567.part", "notes.txt"):
        (tmp_path / name).touch()
    for request_id in ids:
        expected = {number: [tmp_path / name] for number, name in enumerate(named(request_id), 1)}
        assert VideoFolder(tmp_path).find(request_id) == expected, request_id


def test_old_renamed_and_upper_case_names_are_found(tmp_path: Path) -> None:
    """By the number of the video; 0: it is no video of that job's."""
    for request_id, name, number in (
        (ID, f"{ID}.mp4", 1),
        (ID, f"{ID}-16.mp4", 16),
        ("job-1", "job-1.mp4", 1),
        ("Job-1", "Job-1-2.mp4", 2),
        (ID, f"the best one-{ID}.mp4", 1),
        (ID, named(ID)[0].upper(), 1),
        ("Job-1", named("Job-1")[1].lower(), 2),
        *(("job-1", "Job-1.mp4", 0), ("Job-1", "job-1.mp4", 0), (ID, f"{ID}-17.mp4", 0), ("1", "job-1.mp4", 0)),
    ):
        (tmp_path / name).touch()
        assert VideoFolder(tmp_path).find(request_id) == ({number: [tmp_path / name]} if number else {}), name
        (tmp_path / name).unlink()


def test_what_a_job_has_on_disk(tmp_path: Path) -> None:
    first, second = named(ID)
    copy, old = f"copy-{ID}.mp4", f"{ID}.mp4"
    two = (first, second)
    for whole, broken, written, expected in (
        ((), (), (), (Disk.MISSING, first)),
        ((first,), (), (first,), (Disk.WHOLE, first)),
        ((first,), (), (), (Disk.WHOLE, first)),
        ((first,), (), two, (Disk.MISSING, first, second)),
        ((first, second), (), (), (Disk.WHOLE, first, second)),
        ((first,), (second,), (), (Disk.WHOLE, first)),
        ((first,), (second,), two, (Disk.MISSING, first, second)),
        ((old,), (), (first,), (Disk.WHOLE, old)),
        ((old, second), (), two, (Disk.WHOLE, old, second)),
        ((copy,), (first,), (first,), (Disk.WHOLE, copy)),
        ((copy, first), (), (first,), (Disk.WHOLE, first)),
        ((), (first,), (first,), (Disk.MISSING, first)),
    ):
        folder = tmp_path / f"{whole} {broken} {written}".replace(ID, "")[:200]
        folder.mkdir()
        for name in whole:
            (folder / name).write_bytes(TINY_MP4)
        for name in broken:
            (folder / name).write_bytes(TINY_MP4[:-1])
        state, paths = VideoFolder(folder).locate(replace(RECORD, files=written))
        assert (state, *(path.name for path in paths)) == expected, (whole, broken, written)
