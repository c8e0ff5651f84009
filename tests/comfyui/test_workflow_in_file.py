"""The workflow in a video's file, as ComfyUI's UI and FFmpeg read it."""

from __future__ import annotations

import errno
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import av
import pytest

from nodes.comfyui.workflow_in_file import add_metadata
from nodes.video.file_format import check_mp4
from tests.support.clips import numbered, write_clip

WRITTEN = {"prompt": {"1": {"inputs": {"text": "یک روباه 🦊"}}}, "workflow": {"nodes": [], "version": 0.4}}


def boxes(content: bytes) -> dict[bytes, bytes]:
    """The boxes side by side."""
    found, start = dict[bytes, bytes](), 0
    while start < len(content):
        size, kind = struct.unpack_from(">I4s", content, start)
        found[kind] = content[start + 8 : start + size]
        start += size
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "a.mp4", map(numbered, range(3)))


def test_it_is_read_back_and_the_video_stays_to_the_byte(file: Path) -> None:
    before = file.read_bytes()
    add_metadata(file, WRITTEN)
    check_mp4(file)
    assert file.read_bytes().startswith(before)
    with av.open(str(file)) as container:
        assert {name: json.loads(container.metadata[name]) for name in WRITTEN} == WRITTEN
    meta = boxes(boxes(boxes(file.read_bytes())[b"udta"])[b"meta"][4:])
    assert meta[b"keys"][8:] == b"\0\0\0\x0emdtaprompt\0\0\0\x10mdtaworkflow"
    assert [json.loads(item[16:]) for item in boxes(meta[b"ilst"]).values()] == list(WRITTEN.values())
    assert list(file.parent.iterdir()) == [file]


def test_what_fails_leaves_the_file_as_it_was_and_nothing_beside_it(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(TypeError):
        add_metadata(file, {"prompt": object()})
    file = file.rename(file.with_name(f"{'a' * 245}.mp4"))  # beside which no longer name fits
    with pytest.raises(OSError):  # noqa: PT011 - systems word it differently
        add_metadata(file, WRITTEN)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_the_video_outlives_a_drive_that_deletes_what_is_to_be_replaced_and_is_gone_then(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As some network drives do: then the copy is the video, and found by the run that looks for it."""

    def half(_: Path, target: Path) -> None:
        target.unlink()
        raise OSError(errno.EIO, "Host is down")

    monkeypatch.setattr(Path, "replace", half)
    with pytest.raises(OSError, match="Host is down"):
        add_metadata(file, WRITTEN)
    (left,) = file.parent.iterdir()
    check_mp4(left)


def test_the_unfinished_file_has_a_name_that_an_encrypted_folder_takes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """143 bytes; of a single video's name `file_names` makes 122 at most."""
    copy, lengths = shutil.copyfile, list[int]()

    def note_and_copy(source: Path, target: Path) -> None:
        lengths.append(len(target.name))
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", note_and_copy)
    add_metadata(file.rename(file.with_name(f"{'a' * 118}.mp4")), WRITTEN)
    assert max(lengths) <= 143


def test_names_that_are_no_text_are_written_as_well_as_can_be(file: Path) -> None:
    odd: dict[Any, object] = {"\ud800": "\ud800", 1: "a number"}
    add_metadata(file, odd | WRITTEN)
    with av.open(str(file)) as container:
        assert {name: json.loads(container.metadata[name]) for name in WRITTEN} == WRITTEN
