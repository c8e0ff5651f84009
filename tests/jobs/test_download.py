"""From a success to files on disk, through broken connections and expired links; what would keep it from them is found
before the POST, and is said with what helps."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from nodes.jobs.download import MAX_PATH, MIN_FREE, check_before_submit, download_link
from nodes.jobs.errors import JobError, VideoUnavailable
from nodes.jobs.job import Video
from nodes.jobs.records import JobRecord, RequestKey, State
from nodes.jobs.video_files import TEXT_LETTERS, file_names
from nodes.runcomfy.request import MAX_SEED
from nodes.video.errors import CorruptVideo, DiskFailure, DownloadInterrupted, LinkExpired, UnsupportedVideo
from tests.support.fake_runcomfy import BOAT, TurningClock, reply
from tests.support.machine import FakeMachine, NewMachine
from tests.support.postgres import on_both
from tests.support.tiny_mp4 import TINY_MP4

BROKEN = DownloadInterrupted("connection lost")
BOUGHT = JobRecord(1, "1", RequestKey("", "", ""), "", State.ACCEPTED, BOAT, "job-1", created=TurningClock().wall())
(NAME,) = file_names(BOUGHT, 1, 0)


def link_number(number: int) -> dict[str, object]:
    return {"status": "succeeded", "output": {"video": f"https://media/{number}"}}


def test_several_videos_of_one_job_are_numbered_and_only_the_missing_one_is_fetched_again(machine: FakeMachine) -> None:
    machine.service.ending = {"status": "succeeded", "output": {"videos": ["https://a", "https://b", "https://c"]}}
    video = machine.run()
    assert [file.name for file in video.files] == [NAME, NAME.replace(".", "-2."), NAME.replace(".", "-3.")]
    assert [record.files for record in machine.journal.records()] == [tuple(file.name for file in video.files)]
    assert machine.links == ["https://a", "https://b", "https://c"]
    video.files[1].unlink()
    assert machine.run().files == video.files
    assert machine.links[3:] == ["https://b"]
    assert machine.service.count("submit") == 1


def test_one_of_several_that_is_on_disk_is_not_the_whole_job(machine: FakeMachine) -> None:
    """Whether the next run generates it or fetches it by its id."""
    machine.service.ending = {"status": "succeeded", "output": ["https://a", "https://b"]}
    again: Callable[[], Video]
    for again in (machine.run, lambda: machine.fetch("job-1")):
        machine.downloads += [None, DiskFailure("video.diskFull", folder="videos")]
        with pytest.raises(VideoUnavailable):
            again()
        assert len(again().files) == 2
        assert machine.service.count("submit") == 1
        for file in (machine.folder / "videos").iterdir():
            file.unlink()


def test_a_broken_transfer_is_tried_until_it_is_whole(machine: FakeMachine) -> None:
    machine.downloads += [BROKEN] * 7
    machine.run()
    assert machine.links == ["https://media/1"] * 8
    assert machine.service.results_after_the_end() == 1
    assert machine.said("connection lost") == 7


def test_a_bad_link_or_file_is_renewed_by_asking_for_the_result_again(new_machine: NewMachine) -> None:
    bad = (UnsupportedVideo("video.notMp4", name="HTML"), CorruptVideo("video.breaksOff", name="a", frames=1))
    for failure in (LinkExpired(403), LinkExpired(404), *bad):
        machine = new_machine()
        machine.downloads.append(failure)
        machine.service.script["result"] += [reply(**link_number(1)), reply(**link_number(2))]
        machine.run()
        assert machine.links == ["https://media/1", "https://media/2"], failure
        assert machine.states() == ["saved"], failure


def test_a_deleted_or_truncated_file_is_fetched_again_for_free(machine: FakeMachine) -> None:
    file = machine.run().files[0]
    for spoil in (file.unlink, lambda: file.write_bytes(TINY_MP4[:-1])):
        spoil()
        assert machine.run().files[0].read_bytes() == TINY_MP4
        assert machine.states() == ["saved"]
    assert (machine.service.count("submit"), len(machine.links)) == (1, 3)


@on_both
def test_a_link_that_no_database_takes_keeps_no_later_run_from_the_journal(machine: FakeMachine) -> None:
    good = machine.service.ending["output"]
    for seed, host in enumerate(("me\0dia", "me\ud800dia")):
        machine.service.ending["output"] = f"https://{host}/1"
        machine.run(replace(BOAT, seed=seed))
    machine.service.ending["output"] = good
    machine.run()
    assert machine.states() == ["saved"] * 3
    assert {record.media_host for record in machine.records()} == {"", "media"}


def test_what_a_killed_run_left_is_given_its_name_if_it_is_whole_and_else_swept_away(new_machine: NewMachine) -> None:
    for content in (TINY_MP4, b"half"):
        machine = new_machine()
        videos = machine.folder / "videos"
        videos.mkdir(parents=True)
        (videos / f".{NAME}.0a1b2c3d.part").write_bytes(content)
        (videos / ".job-2.mp4.0a1b2c3d.part").write_bytes(b"somebody is at work on it")
        machine.run()
        assert len(machine.links) == (content != TINY_MP4)
        assert sorted(path.name for path in videos.iterdir()) == [".job-2.mp4.0a1b2c3d.part", NAME]


def test_what_another_run_fetches_of_a_job_of_elsewhere_is_left(machine: FakeMachine) -> None:
    """The journal does not know the job, so that no claim keeps two runs from fetching it at once."""
    machine.service.accepted["job-1"] = 0.0
    (name,) = file_names(replace(BOUGHT, request=None), 1, 0)
    part = machine.folder / "videos" / f".{name}.0a1b2c3d.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    assert machine.fetch("job-1").files == (part.with_name(name),)
    assert part.exists()


def test_a_video_of_a_link_that_could_not_be_renamed_is_used_and_what_may_be_under_way_is_left(
    machine: FakeMachine,
) -> None:
    videos = machine.folder / "videos"
    videos.mkdir(parents=True)
    for content, links in ((b"half", 1), (TINY_MP4, 0)):
        part = videos / f".link-{links}.mp4.0a1b2c3d.part"
        part.write_bytes(content)
        download = machine.account.open_download(videos / f"link-{links}.mp4")
        asyncio.run(download_link("https://link", download, machine.executors, machine.prompt()))
        assert part.exists() is bool(links)
        assert download.target.read_bytes() == TINY_MP4
    assert machine.links == ["https://link"]


TEXT = "x" * TEXT_LETTERS
DOWNLOAD = f".20261126-{TEXT}-s{MAX_SEED}-{'0' * 36}-16.mp4.{'0' * 8}.part"
"""As long as the name of an unfinished download of a job may be."""


def refused(folder: Path) -> str:
    with pytest.raises(JobError) as refusal:
        check_before_submit(folder, ())
    assert "Nothing was charged." in str(refusal.value)
    return str(refusal.value)


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


def test_a_folder_is_left_as_it_was_and_a_drive_that_is_away_or_almost_full_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_before_submit(tmp_path / "output" / "seedance", ())
    assert list((tmp_path / "output" / "seedance").iterdir()) == []
    (tmp_path / "drive").touch()
    assert f"{tmp_path / 'drive' / 'seedance'} cannot be written to" in refused(tmp_path / "drive" / "seedance")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=MIN_FREE - 1))
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
