"""The workflow in a video's file, as ComfyUI's UI and FFmpeg read it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import av
import pytest

from nodes.video.file_format import check_mp4, metadata_box
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


def test_it_is_read_back(file: Path) -> None:
    box = metadata_box(WRITTEN)
    file.write_bytes(file.read_bytes() + box)
    check_mp4(file)
    with av.open(str(file)) as container:
        assert {name: json.loads(container.metadata[name]) for name in WRITTEN} == WRITTEN
    meta = boxes(boxes(boxes(box)[b"udta"])[b"meta"][4:])
    assert meta[b"keys"][8:] == b"\0\0\0\x0emdtaprompt\0\0\0\x10mdtaworkflow"
    assert [json.loads(item[16:]) for item in boxes(meta[b"ilst"]).values()] == list(WRITTEN.values())


def test_nothing_gives_no_box_and_neither_does_what_is_no_json() -> None:
    endless: list[object] = []
    endless.append(endless)
    for metadata in ({}, {"prompt": object()}, {"prompt": endless}):
        assert metadata_box(metadata) == b"", metadata


def test_names_that_are_no_text_are_written_as_well_as_can_be(file: Path) -> None:
    odd: dict[Any, object] = {"\ud800": "\ud800", 1: "a number"}
    file.write_bytes(file.read_bytes() + metadata_box(odd | WRITTEN))
    with av.open(str(file)) as container:
        assert {name: json.loads(container.metadata[name]) for name in WRITTEN} == WRITTEN
