"""What a user reads of a file: its own name, and never an error of the system without advice."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from nodes.video.decode import decode
from nodes.video.errors import CorruptVideo, VideoError
from nodes.video.file_format import check_mp4
from nodes.video.probe import probe
from tests.support.tiny_mp4 import TINY_MP4


def test_a_file_that_cannot_be_read_just_now_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(TINY_MP4)
    for number in (errno.EACCES, errno.EIO, errno.ENOENT):

        def fail(self: Path, *_: Any, number: int = number) -> Any:
            raise OSError(number, os.strerror(number), str(self))

        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", fail)
            for read in (decode, probe):
                with pytest.raises(VideoError) as caught:
                    read(file)
                held = f"{file} cannot be read just now ({os.strerror(number)}). Bring its drive back"
                gone = f"The video {file} is not there any more. Bring its drive back"
                assert str(caught.value).startswith(gone if number == errno.ENOENT else held)
            with pytest.raises(OSError, match=os.strerror(number)):
                check_mp4(file)  # by which jobs tell a drive that is away from a file that is gone


def test_an_unfinished_download_is_called_by_the_name_that_it_is_to_get(tmp_path: Path) -> None:
    file = tmp_path / ".job-1.mp4.0a1b2c3d.part"
    for content, said in ((b"<html>", "job-1.mp4 is not"), (TINY_MP4[:-1], "job-1.mp4 is incomplete")):
        file.write_bytes(content)
        with pytest.raises(VideoError) as caught:
            check_mp4(file)
        assert str(caught.value).startswith(said)
    with pytest.raises(CorruptVideo):
        check_mp4(file)
