"""From a success to files on disk, through broken connections and expired links."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from nodes.jobs.download import download_link
from nodes.jobs.errors import VideoUnavailable
from nodes.jobs.job import Video
from nodes.jobs.records import JobRecord, RequestKey, State
from nodes.jobs.video_files import file_names
from nodes.jobs.waiting import Cancellation
from nodes.video.errors import AGAIN, CorruptVideo, DiskFailure, DownloadInterrupted, LinkExpired, UnsupportedVideo
from tests.support.fake_runcomfy import BOAT, FakeMachine, NewMachine, TurningClock, reply
from tests.support.postgres import on_both
from tests.support.tiny_mp4 import TINY_MP4

BROKEN = DownloadInterrupted("connection lost")
BOUGHT = JobRecord(1, "1", RequestKey("", "", ""), "", State.ACCEPTED, BOAT, "job-1", created=TurningClock().wall())
(NAME,) = file_names(BOUGHT, 1, 0)


def link_number(number: int) -> dict[str, object]:
    return {"status": "succeeded", "output": {"video": f"https://media/{number}"}}


def test_the_file_is_named_for_people_and_that_is_written_down(machine: FakeMachine) -> None:
    video = machine.run()
    assert [file.name for file in video.files] == [NAME]
    assert [record.files for record in machine.journal.records()] == [(NAME,)]
    assert video.files[0].read_bytes() == TINY_MP4
    assert video.cost == 0.03


def test_several_videos_of_one_job_are_numbered_and_only_the_missing_one_is_fetched_again(machine: FakeMachine) -> None:
    machine.service.ending = {"status": "succeeded", "output": {"videos": ["https://a", "https://b", "https://c"]}}
    video = machine.run()
    assert [file.name for file in video.files] == [NAME, NAME.replace(".", "-2."), NAME.replace(".", "-3.")]
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
    bad = (UnsupportedVideo("video.notMp4", name="HTML"), CorruptVideo("video.breaksOff", AGAIN, name="a", frames=1))
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
    cancellation = Cancellation(machine.clock, machine.show, lambda: False)
    for content, links in ((b"half", 1), (TINY_MP4, 0)):
        part = videos / f".link-{links}.mp4.0a1b2c3d.part"
        part.write_bytes(content)
        download = machine.account.open_download(videos / f"link-{links}.mp4")
        asyncio.run(download_link("https://link", download, machine.executors, cancellation))
        assert part.exists() is bool(links)
        assert download.target.read_bytes() == TINY_MP4
    assert machine.links == ["https://link"]
