"""What a user reads when ComfyUI's own folders cannot be used: what is wrong and what helps. Nothing is bought."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.comfyui.conftest import ServiceLog, clips, failure_of, request_ids
from tests.comfyui.seedance_graphs import generation, loading
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client

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


def test_the_message_says_what_helps_and_nothing_is_bought(
    client: Client, server: ComfyUI, service_log: ServiceLog, prompt: str
) -> None:
    (clip,) = clips(client.run(generation(prompt)))
    bought, name = clip["scalars"]["request_id"], Path(clip["scalars"]["video_path"]).name
    new, file = generation(f"{prompt}, another"), loading(video=f"seedance/{name} [output]")
    private, videos = server.base / "user" / "__seedance", server.base / "output" / "seedance"
    journal = private / "jobs.sqlite3"
    with replaced_by_folder(journal):
        message = failure_of(client, new)
        assert f"cannot be used (unable to open database file): {journal}. Nothing was charged." in message
        assert "Make the file and its folder writable, or start ComfyUI with --user-directory" in message
        assert request_ids(client.run(file)) == [bought], "what is on disk can be loaded"
    with replaced_by_file(journal, b"no database" * 1000):
        message = failure_of(client, new)
        assert f"cannot be used (file is not a database): {journal}. Nothing was charged. Move the file away" in message
    with replaced_by_folder(private / "jobs.sqlite3"), replaced_by_file(videos):
        assert "The journal of paid jobs cannot be used" in failure_of(client, generation(prompt))
    with replaced_by_file(videos):
        message = failure_of(client, new)
        assert f"could not be saved: {videos} cannot be written to (" in message
        assert "Nothing was charged. Make it writable" in message
        assert f"cannot be read just now: {videos / name}. Nothing was charged." in failure_of(
            client, generation(prompt)
        )
    assert [each.request_id for each in service_log.submissions] == [bought]
    assert request_ids(client.run(generation(prompt))) == [bought]
