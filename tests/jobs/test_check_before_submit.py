"""What would keep a video from arriving is found before the POST, and is said with what helps."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nodes.jobs.download import MAX_PATH, ROOM, check_before_submit
from nodes.jobs.errors import JobError
from nodes.jobs.video_files import TEXT_LETTERS
from nodes.runcomfy.request import MAX_SEED

TEXT = "x" * TEXT_LETTERS
DOWNLOAD = f".20261126-{TEXT}-s{MAX_SEED}-{'0' * 36}-16.mp4.{'0' * 8}.part"
"""As long as the name of an unfinished download of a job may be."""


def refused(folder: Path) -> str:
    with pytest.raises(JobError) as refusal:
        check_before_submit(folder, ())
    assert "Nothing was charged." in str(refusal.value)
    return str(refusal.value)


def test_a_folder_that_takes_a_video_is_left_as_it_was(tmp_path: Path) -> None:
    check_before_submit(tmp_path / "output" / "seedance", ())
    assert list((tmp_path / "output" / "seedance").iterdir()) == []


def test_a_folder_that_takes_no_file_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EIO, errno.ENXIO):

        def fail(path: Path, *_: object, number: int = number) -> int:
            raise OSError(number, os.strerror(number), str(path))

        with monkeypatch.context() as patched:
            patched.setattr(os, "open", fail)
            said = refused(tmp_path)
        assert f"{tmp_path} cannot be written to ({os.strerror(number)})" in said
        for cure in ("writable", "drive", "free some space", "--output-directory"):
            assert cure in said, number


def test_a_drive_that_is_away_or_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "drive").touch()
    assert f"{tmp_path / 'drive' / 'seedance'} cannot be written to" in refused(tmp_path / "drive" / "seedance")


def test_a_drive_that_is_almost_full_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=ROOM - 1))
    assert "199 MB are free at" in refused(tmp_path)


def test_a_path_is_tried_as_long_as_that_of_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows the whole path counts, of which a shorter name would say nothing."""
    real = os.open

    def limited(path: Path, *args: int) -> int:
        if len(str(path)) >= MAX_PATH:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return real(path, *args)

    monkeypatch.setattr(os, "open", limited)
    monkeypatch.setattr(sys, "platform", "win32")
    for room, fits in ((len(DOWNLOAD) + 3, True), (len(DOWNLOAD) - 1, False)):
        left = MAX_PATH - 1 - room - len(str(tmp_path)) - 2
        folder = tmp_path / ("x" * (left // 2)) / ("x" * (left - left // 2))
        if fits:
            check_before_submit(folder, ())
        else:
            assert "its path is longer than Windows allows" in refused(folder)
