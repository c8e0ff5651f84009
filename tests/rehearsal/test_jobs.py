"""Who waits for whom, and which videos are made."""

from __future__ import annotations

import pytest

from nodes.rehearsal import jobs as rehearsal_jobs
from tests.rehearsal.conftest import FakeVideos, RehearsalClient, wait_for


def test_queue_positions(client: RehearsalClient) -> None:
    first = client.submit()
    client.clock.now += 5
    others = [client.submit() for _ in range(3)]
    assert [client.status(job)["queue_position"] for job in (first, *others)] == [0, 1, 2, 3]
    client.cancel(others[0])
    assert [client.status(job)["queue_position"] for job in (first, *others[1:])] == [0, 1, 2]
    client.clock.now += 6
    assert [client.status(job).get("queue_position") for job in (first, *others[1:])] == [None, 0, 1]


def test_a_job_is_in_progress_until_its_video_is_made(client: RehearsalClient, videos: FakeVideos) -> None:
    videos.free.clear()
    job = client.submit()
    client.clock.now += 100
    assert (client.status(job)["status"], client.result(job)["status"]) == ("in_progress", "in_progress")
    assert client.fetch_video(job).status_code == 404
    videos.free.set()
    assert client.finish(job)["status"] == "succeeded"


def test_a_cancelled_jobs_video_is_not_made(client: RehearsalClient, videos: FakeVideos) -> None:
    videos.free.clear()
    jobs = [client.submit({"text": text}) for text in ("one", "two", "three", "four")]  # two are made at a time
    wait_for(lambda: len(videos.begun) == 2)
    client.cancel(jobs[2])
    videos.free.set()
    assert client.finish(jobs[3])["status"] == "succeeded"
    assert sorted(videos.begun) == ["four", "one", "two"]


def test_a_video_that_cannot_be_made_fails_its_job_and_no_other(client: RehearsalClient, videos: FakeVideos) -> None:
    videos.problem = "out of memory"
    result = client.finish(client.submit())
    assert (result["status"], "out of memory" in str(result["error"])) == ("failed", True)
    videos.problem = ""
    assert client.finish(client.submit())["status"] == "succeeded"


def test_a_video_that_was_dropped_is_made_again(
    client: RehearsalClient, videos: FakeVideos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal_jobs, "KEPT_BYTES", 7000)  # two of the videos
    jobs = []
    for text in ("one", "two", "six"):
        jobs.append(client.submit({"text": text}))
        client.finish(jobs[-1])
    assert [client.fetch_video(job).content[8:11] for job in reversed(jobs)] == [b"six", b"two", b"one"]
    assert videos.begun == ["one", "two", "six", "one"]
