"""File operations while something else holds a file, and on systems that this one is not."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodes.files import PAUSES, is_missing, make_private_folder, remove, replace, write_private
from tests.support.strict_files import held


def test_a_file_that_is_held_for_a_moment_is_replaced_and_removed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    new.write_text("before", encoding="utf-8")
    for times in (0, 1, len(PAUSES)):
        old.write_text("content", encoding="utf-8")
        waited: list[float] = []
        with monkeypatch.context() as patched:
            held(patched, "replace", times)
            replace(old, new, waited.append)
        assert waited == list(PAUSES[:times])
        assert (new.read_text(encoding="utf-8"), old.exists()) == ("content", False), times
        with monkeypatch.context() as patched:
            held(patched, "unlink", times)
            remove(new, waited.append)
        assert not new.exists(), times
    assert 2 < sum(PAUSES) < 3


def test_one_that_is_held_for_good_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "old"
    old.write_text("content", encoding="utf-8")
    held(monkeypatch, "replace", 100)
    with pytest.raises(PermissionError):
        replace(old, tmp_path / "new", lambda _: None)
    assert old.read_text(encoding="utf-8") == "content"


def test_whether_a_file_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a folder that can be listed, and does not have it, says so."""
    there = tmp_path / "there"
    there.touch()
    assert not is_missing(there)
    assert is_missing(tmp_path / "gone")
    assert is_missing(tmp_path / "gone" / "file")
    for number in (errno.EACCES, errno.EIO, errno.ENXIO, errno.ETIMEDOUT, errno.ESTALE, errno.EBUSY, errno.ELOOP):

        def fails(self: Path, number: int = number) -> Iterator[Path]:
            raise OSError(number, os.strerror(number), str(self))

        with monkeypatch.context() as patched:
            patched.setattr(Path, "iterdir", fails)
            for file in (there, tmp_path / "gone", tmp_path / "gone" / "file"):
                assert not is_missing(file), (number, file)


def test_a_private_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    write_private("the first", file)
    write_private("the second", file)
    assert [(found.name, found.read_text(encoding="utf-8")) for found in tmp_path.iterdir()] == [
        ("token", "the second")
    ]
    tried: list[object] = []

    def fails(what: object, *_: object) -> int:
        tried.append(what)
        raise PermissionError(errno.EACCES, "Permission denied")

    for name in ("open", "fsync"):
        tried.clear()
        with monkeypatch.context() as patched:
            patched.setattr(os, name, fails)
            with pytest.raises(PermissionError):
                write_private("the third", file, lambda _: None)
        assert len(tried) == 1, f"{name}: a folder that allows no new files is not asked again and again"
        assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("token", "the second")], name


def test_a_private_folder_has_a_mode_only_where_there_are_modes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows a mode would lock out whoever did not make it."""
    asked: list[int] = []
    real = Path.mkdir

    def mkdir(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        asked.append(mode)
        real(self, mode, parents, exist_ok)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    for platform, mode in (("linux", 0o700), ("win32", 0o777)):
        asked.clear()
        monkeypatch.setattr(sys, "platform", platform)
        make_private_folder(tmp_path / platform)
        make_private_folder(tmp_path / platform)
        assert set(asked) == {mode}, platform
