"""What a user reads when ComfyUI's own folders cannot be used: what is wrong and what helps. Nothing is bought."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.comfyui.conftest import Comfy, clips, request_ids
from tests.comfyui.seedance_graphs import generation, loading

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")
# Folders and files in each other's place, which stop root as well.


@contextmanager
def replaced_by_folder(file: Path) -> Iterator[None]:
    kept = file.with_name("kept")
    file.rename(kept)
    file.mkdir()
    yield
    file.rmdir()
    kept.rename(file)


@contextmanager
def replaced_by_file(folder: Path, content: bytes = b"") -> Iterator[None]:
    kept = folder.with_name("kept")
    folder.rename(kept)
    folder.write_bytes(content)
    yield
    folder.unlink()
    kept.rename(folder)


def test_the_message_says_what_helps_and_nothing_is_bought(comfy: Comfy, prompt: str) -> None:
    (clip,) = clips(comfy.run(generation(prompt)))
    bought, name = clip["scalars"]["request_id"], Path(clip["scalars"]["video_path"]).name
    new, file = generation(f"{prompt}, another"), loading(video=f"seedance/{name} [output]")
    private, videos = comfy.base / "user" / "__seedance", comfy.base / "output" / "seedance"
    journal = private / "jobs.sqlite3"
    with replaced_by_folder(journal):
        message = comfy.failure(new)
        assert f"cannot be used (unable to open database file): {journal}. Nothing was charged." in message
        assert "Make the file and its folder writable, or start ComfyUI with --user-directory" in message
        assert request_ids(comfy.run(file)) == [bought], "what is on disk can be loaded"
    with replaced_by_file(journal, b"no database" * 1000):
        message = comfy.failure(new)
        assert f"cannot be used (file is not a database): {journal}. Nothing was charged. Move the file away" in message
    with replaced_by_folder(private / "jobs.sqlite3"), replaced_by_file(videos):
        assert "The journal of paid jobs cannot be used" in comfy.failure(generation(prompt))
    with replaced_by_file(videos):
        message = comfy.failure(new)
        assert f"could not be saved: {videos} cannot be written to (" in message
        assert "Nothing was charged. Make it writable" in message
        assert f"cannot be read just now: {videos / name}. Nothing was charged." in comfy.failure(generation(prompt))
    assert [each.request_id for each in comfy.submissions] == [bought]
    assert request_ids(comfy.run(generation(prompt))) == [bought]
