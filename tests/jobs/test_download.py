"""From a success to files on disk, through broken connections and expired links."""

from __future__ import annotations

import pytest

from nodes.jobs.download import RENEWALS, file_names
from nodes.jobs.errors import DeadlinePassed, Forgotten, NoVideo, VideoUnavailable
from nodes.video.errors import Damaged, FetchBroken, FetchFailed, LinkExpired, LinkRefused, NoSpace, NotAVideo
from tests.support.fake_runcomfy import Play, reply
from tests.support.tiny_mp4 import TINY_MP4

BROKEN = FetchBroken("connection lost")


def link_number(number: int) -> dict[str, object]:
    return {"status": "succeeded", "output": {"video": f"https://media/{number}"}}


def test_the_file_is_named_after_the_job(play: Play) -> None:
    video = play.run()
    assert [file.name for file in video.files] == ["job-1.mp4"]
    assert video.files[0].read_bytes() == TINY_MP4
    assert video.cost == 0.03


def test_several_videos_of_one_job_are_numbered(play: Play) -> None:
    play.service.ending = {"status": "succeeded", "output": {"videos": ["https://a", "https://b", "https://c"]}}
    video = play.run()
    assert [file.name for file in video.files] == ["job-1.mp4", "job-1-2.mp4", "job-1-3.mp4"]
    assert play.links == ["https://a", "https://b", "https://c"]
    assert file_names("x", 0) == ()


def test_only_the_missing_one_of_several_is_fetched_again(play: Play) -> None:
    play.service.ending = {"status": "succeeded", "output": ["https://a", "https://b"]}
    play.run().files[1].unlink()
    play.links.clear()
    video = play.run()
    assert play.links == ["https://b"]
    assert len(video.files) == 2
    assert play.service.count("submit") == 1


def test_a_broken_transfer_is_tried_until_it_is_whole(play: Play) -> None:
    play.downloads += [BROKEN] * 7
    play.run()
    assert play.links == ["https://media/1"] * 8
    assert play.service.results_after_the_end() == 1
    assert play.said("connection lost") == 7


@pytest.mark.parametrize(
    "failure",
    [LinkExpired(403), LinkExpired(404), NotAVideo("It is HTML.", ""), Damaged("It is cut.", "")],
    ids=["403", "404", "not a video", "damaged"],
)
def test_a_bad_link_or_file_is_renewed_by_asking_for_the_result_again(play: Play, failure: Exception) -> None:
    play.downloads.append(failure)
    play.service.script["result"] += [reply(**link_number(1)), reply(**link_number(2))]
    play.run()
    assert play.links == ["https://media/1", "https://media/2"]
    assert play.states() == ["saved"]


def test_links_that_stay_bad_end_as_charged_and_the_next_run_fetches_for_free(play: Play) -> None:
    play.downloads += [LinkExpired(403)] * (RENEWALS + 1)
    with pytest.raises(VideoUnavailable, match=r"not valid any more.*succeeded and was charged.*without a new charge"):
        play.run()
    assert play.states() == ["succeeded"]
    assert play.run().request_id == "job-1"
    assert play.service.count("submit") == 1


@pytest.mark.parametrize(
    "failure",
    [NoSpace("No space left.", "Free some."), FetchFailed("HTTP 418.", ""), LinkRefused("Not https.", "")],
    ids=["disk full", "418", "refused link"],
)
def test_what_no_repeat_can_mend_ends_at_once_with_its_reason(play: Play, failure: FetchFailed | NoSpace) -> None:
    play.downloads.append(failure)
    with pytest.raises(VideoUnavailable, match=failure.what) as caught:
        play.run()
    assert "was charged" in str(caught.value)
    assert len(play.links) == 1
    assert play.states() == ["succeeded"]


def test_a_transfer_that_never_ends_ends_with_the_deadline(play: Play) -> None:
    play.downloads += [BROKEN] * 500
    with pytest.raises(DeadlinePassed, match="connection lost"):
        play.run()
    play.downloads.clear()
    assert play.run().request_id == "job-1"


def test_a_success_without_a_link_is_said_and_asked_again_by_the_next_run(play: Play) -> None:
    good, play.service.ending = play.service.ending, {"status": "succeeded", "output": {}}
    with pytest.raises(NoVideo, match=r"holds no video.*was charged") as caught:
        play.run()
    assert "job-1" in str(caught.value)
    play.service.ending = good
    assert play.run().request_id == "job-1"
    assert play.service.count("submit") == 1


def test_a_deleted_file_is_fetched_again_for_free(play: Play) -> None:
    play.run().files[0].unlink()
    video = play.run()
    assert video.files[0].read_bytes() == TINY_MP4
    assert (play.service.count("submit"), len(play.links)) == (1, 2)
    assert play.states() == ["saved"]


def test_a_truncated_file_is_fetched_again(play: Play) -> None:
    play.run().files[0].write_bytes(TINY_MP4[:-1])
    assert play.run().files[0].read_bytes() == TINY_MP4
    assert play.service.count("submit") == 1


def test_a_deleted_file_of_a_forgotten_job_is_said_and_then_bought_anew(play: Play) -> None:
    play.run().files[0].unlink()
    play.service.forgotten.add("job-1")
    with pytest.raises(Forgotten, match="its video is not on this machine"):
        play.run()
    assert play.states() == ["forgotten"]
    assert play.run().request_id == "job-2"


def test_what_a_killed_run_left_is_swept_away_and_nothing_else(play: Play) -> None:
    videos = play.folder / "videos"
    videos.mkdir()
    (videos / ".job-1.mp4.0a1b2c3d.part").write_bytes(b"half")
    (videos / ".job-2.mp4.0a1b2c3d.part").write_bytes(b"somebody is at work on it")
    play.run()
    assert sorted(path.name for path in videos.iterdir()) == [".job-2.mp4.0a1b2c3d.part", "job-1.mp4"]
