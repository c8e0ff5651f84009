"""From a success to files on disk, through broken connections and expired links."""

from __future__ import annotations

import pytest

from nodes.jobs.download import MAX_LINK_REFRESHES
from nodes.jobs.errors import JobExpired, NoVideo, VideoUnavailable
from nodes.jobs.job_files import file_names
from nodes.video.errors import (
    CorruptVideo,
    DownloadFailed,
    DownloadInterrupted,
    LinkExpired,
    NoSpace,
    UnsafeUrl,
    UnsupportedVideo,
)
from tests.support.fake_runcomfy import FakeMachine, reply
from tests.support.tiny_mp4 import TINY_MP4

BROKEN = DownloadInterrupted("connection lost")


def link_number(number: int) -> dict[str, object]:
    return {"status": "succeeded", "output": {"video": f"https://media/{number}"}}


def test_the_file_is_named_after_the_job(machine: FakeMachine) -> None:
    video = machine.run()
    assert [file.name for file in video.files] == ["job-1.mp4"]
    assert video.files[0].read_bytes() == TINY_MP4
    assert video.cost == 0.03


def test_several_videos_of_one_job_are_numbered(machine: FakeMachine) -> None:
    machine.service.ending = {"status": "succeeded", "output": {"videos": ["https://a", "https://b", "https://c"]}}
    video = machine.run()
    assert [file.name for file in video.files] == ["job-1.mp4", "job-1-2.mp4", "job-1-3.mp4"]
    assert machine.links == ["https://a", "https://b", "https://c"]
    assert file_names("x", 0) == ()


def test_only_the_missing_one_of_several_is_fetched_again(machine: FakeMachine) -> None:
    machine.service.ending = {"status": "succeeded", "output": ["https://a", "https://b"]}
    machine.run().files[1].unlink()
    machine.links.clear()
    video = machine.run()
    assert machine.links == ["https://b"]
    assert len(video.files) == 2
    assert machine.service.count("submit") == 1


def test_a_broken_transfer_is_tried_until_it_is_whole(machine: FakeMachine) -> None:
    machine.downloads += [BROKEN] * 7
    machine.run()
    assert machine.links == ["https://media/1"] * 8
    assert machine.service.results_after_the_end() == 1
    assert machine.said("connection lost") == 7


@pytest.mark.parametrize(
    "failure",
    [LinkExpired(403), LinkExpired(404), UnsupportedVideo("It is HTML.", ""), CorruptVideo("It is cut.", "")],
    ids=["403", "404", "not a video", "damaged"],
)
def test_a_bad_link_or_file_is_renewed_by_asking_for_the_result_again(machine: FakeMachine, failure: Exception) -> None:
    machine.downloads.append(failure)
    machine.service.script["result"] += [reply(**link_number(1)), reply(**link_number(2))]
    machine.run()
    assert machine.links == ["https://media/1", "https://media/2"]
    assert machine.states() == ["saved"]


def test_links_that_stay_bad_end_as_charged_and_the_next_run_fetches_for_free(machine: FakeMachine) -> None:
    machine.downloads += [LinkExpired(403)] * (MAX_LINK_REFRESHES + 1)
    with pytest.raises(VideoUnavailable, match=r"not valid any more.*succeeded and was charged.*without a new charge"):
        machine.run()
    assert machine.states() == ["succeeded"]
    assert machine.run().request_id == "job-1"
    assert machine.service.count("submit") == 1


@pytest.mark.parametrize(
    "failure",
    [NoSpace("No space left.", "Free some."), DownloadFailed("HTTP 418.", ""), UnsafeUrl("Not https.", "")],
    ids=["disk full", "418", "refused link"],
)
def test_what_no_repeat_can_mend_ends_at_once_with_its_reason(
    machine: FakeMachine, failure: DownloadFailed | NoSpace
) -> None:
    machine.downloads.append(failure)
    with pytest.raises(VideoUnavailable, match=failure.message) as caught:
        machine.run()
    assert "was charged" in str(caught.value)
    assert len(machine.links) == 1
    assert machine.states() == ["succeeded"]


def test_a_transfer_that_never_ends_ends_with_the_deadline(machine: FakeMachine) -> None:
    machine.downloads += [BROKEN] * 500
    with pytest.raises(VideoUnavailable, match="connection lost"):
        machine.run()
    machine.downloads.clear()
    assert machine.run().request_id == "job-1"


def test_a_success_without_a_link_is_said_and_asked_again_by_the_next_run(machine: FakeMachine) -> None:
    good, machine.service.ending = machine.service.ending, {"status": "succeeded", "output": {}}
    with pytest.raises(NoVideo, match=r"holds no video.*was charged") as caught:
        machine.run()
    assert "job-1" in str(caught.value)
    machine.service.ending = good
    assert machine.run().request_id == "job-1"
    assert machine.service.count("submit") == 1


def test_a_deleted_file_is_fetched_again_for_free(machine: FakeMachine) -> None:
    machine.run().files[0].unlink()
    video = machine.run()
    assert video.files[0].read_bytes() == TINY_MP4
    assert (machine.service.count("submit"), len(machine.links)) == (1, 2)
    assert machine.states() == ["saved"]


def test_a_truncated_file_is_fetched_again(machine: FakeMachine) -> None:
    machine.run().files[0].write_bytes(TINY_MP4[:-1])
    assert machine.run().files[0].read_bytes() == TINY_MP4
    assert machine.service.count("submit") == 1


def test_a_deleted_file_of_a_forgotten_job_is_said_and_then_bought_anew(machine: FakeMachine) -> None:
    machine.run().files[0].unlink()
    machine.service.forgotten.add("job-1")
    with pytest.raises(JobExpired, match="its video is not on this machine"):
        machine.run()
    assert machine.states() == ["forgotten"]
    assert machine.run().request_id == "job-2"


def test_a_whole_video_that_a_killed_run_left_is_given_its_name(machine: FakeMachine) -> None:
    videos = machine.folder / "videos"
    videos.mkdir(parents=True)
    (videos / ".job-1.mp4.0a1b2c3d.part").write_bytes(TINY_MP4)
    machine.run()
    assert machine.links == []
    assert [path.name for path in videos.iterdir()] == ["job-1.mp4"]


def test_what_a_killed_run_left_is_swept_away_and_nothing_else(machine: FakeMachine) -> None:
    videos = machine.folder / "videos"
    videos.mkdir(parents=True)
    (videos / ".job-1.mp4.0a1b2c3d.part").write_bytes(b"half")
    (videos / ".job-2.mp4.0a1b2c3d.part").write_bytes(b"somebody is at work on it")
    machine.run()
    assert sorted(path.name for path in videos.iterdir()) == [".job-2.mp4.0a1b2c3d.part", "job-1.mp4"]
