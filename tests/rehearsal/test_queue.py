"""Who waits for whom, and how a test holds time still."""

from __future__ import annotations

import pytest

from nodes.rehearsal import JobState, RehearsalService, Timing
from nodes.rehearsal.jobs import Job, JobQueue
from tests.support.rehearsal_client import OWNER, HandClock, RehearsalClient, Stage


def job(name: str, submitted: float) -> Job:
    """One that needs no file, which only those that fail do."""
    return Job(name, 0, {}, 5, submitted, None, "meant to fail")


def test_two_slots_serve_four_jobs_in_order(client: RehearsalClient) -> None:
    jobs = [client.submit() for _ in range(4)]
    assert client.service.wait_until_rendered()
    assert [client.status(job).get("queue_position") for job in jobs] == [0, 1, 2, 3]
    client.clock.pass_by(10)
    assert [client.status(job)["status"] for job in jobs] == ["in_progress", "in_progress", "in_queue", "in_queue"]
    assert [client.status(job).get("queue_position") for job in jobs] == [None, None, 0, 1]
    client.clock.pass_by(20)
    assert [client.status(job)["status"] for job in jobs] == ["completed", "completed", "in_progress", "in_progress"]


def test_cancelling_moves_the_others_up(client: RehearsalClient) -> None:
    first, second, third = (client.submit() for _ in range(3))
    client.cancel(first)
    assert [client.status(job)["queue_position"] for job in (second, third)] == [0, 1]


def test_jobs_move_on_at_their_own_times_although_nobody_looked() -> None:
    queue = JobQueue(Timing(queued=1, running=3, slots=1))
    jobs = [job("a", 0), job("b", 0), job("c", 20)]
    for one in jobs:
        queue.add(one)
    queue.settle(100)
    assert [(one.started, one.ended) for one in jobs] == [(1, 4), (4, 7), (21, 24)]


def test_a_slot_that_was_free_long_ago_starts_nothing_early() -> None:
    queue = JobQueue(Timing(queued=0, running=3, slots=2))
    jobs = [job("a", 5), job("b", 6), job("c", 7)]
    for one in jobs:
        queue.add(one)
    queue.settle(8.5)
    assert [(one.started, one.ended) for one in jobs] == [(5, 8), (6, None), (8, None)]


def test_a_job_is_in_progress_until_its_file_is_there(client: RehearsalClient, stage: Stage) -> None:
    stage.hold()
    job = client.submit()
    client.clock.pass_by(100)
    assert (client.status(job)["status"], client.result(job)["status"]) == ("in_progress", "in_progress")
    assert "output" not in client.result(job)
    assert client.call("GET", f"/media/{job}.mp4").status_code == 404
    stage.release()
    assert client.service.wait_until_rendered()
    assert client.result(job)["status"] == "succeeded"
    assert client.service.submissions[0].ended == client.clock.now


def test_a_cancelled_job_is_not_filmed(client: RehearsalClient, stage: Stage) -> None:
    stage.hold()
    jobs = [client.submit({"text": text}) for text in ("one", "two", "three", "four")]  # two are filmed at a time
    client.cancel(jobs[2])
    stage.release()
    assert client.finish(jobs[3])["status"] == "succeeded"
    assert sorted(stage.filmed) == ["four", "one", "two"]


def test_hold_freezes_every_job_where_it_is(client: RehearsalClient) -> None:
    running = client.submit()
    client.clock.pass_by(10)
    queued = client.submit()
    assert client.service.wait_until_rendered()
    client.service.hold()
    client.clock.pass_by(500)
    assert (client.status(running)["status"], client.status(queued)["status"]) == ("in_progress", "in_queue")
    client.service.release()
    assert (client.status(running)["status"], client.status(queued)["status"]) == ("in_progress", "in_queue")
    client.clock.pass_by(20)
    assert (client.status(running)["status"], client.status(queued)["status"]) == ("completed", "in_progress")


def test_jobs_submitted_while_held_stay_queued_even_without_a_queue_time(stage: Stage) -> None:
    clock = HandClock()
    with RehearsalService(tokens=(OWNER,), timing=Timing(queued=0, running=0), clock=clock) as service:
        client = RehearsalClient(service, clock)
        service.hold()
        first, second = client.submit(), client.submit()
        assert service.wait_until_rendered()
        clock.pass_by(50)
        assert [client.status(job).get("queue_position") for job in (first, second)] == [0, 1]
        assert client.cancel(second).json()["outcome"] == "cancelled"
        service.release()
        assert [client.result(job)["status"] for job in (first, second)] == ["succeeded", "cancelled"]


def test_an_ended_job_is_forgotten_after_its_time(client: RehearsalClient) -> None:
    job = client.submit()
    url = f"/media/{job}.mp4"
    client.finish(job)
    assert client.call("GET", url).status_code == 200
    client.clock.pass_by(1000)
    reply = client.call("GET", f"/v1/requests/{job}/result")
    assert (reply.status_code, reply.json()["error_code"]) == (404, 404001)
    assert client.call("GET", url).status_code == 404
    assert client.service.submissions[0].state is JobState.SUCCEEDED


def test_forget_does_so_at_once(client: RehearsalClient) -> None:
    ended, queued, last = (client.submit() for _ in range(3))
    assert client.service.wait_until_rendered()
    client.service.forget(queued)
    assert client.status(last)["queue_position"] == 1
    client.finish(ended)
    client.service.forget(ended)
    for job in (ended, queued):
        assert client.call("GET", f"/v1/requests/{job}/status").status_code == 404
        assert client.call("GET", f"/media/{job}.mp4").status_code == 404
    assert client.result(last)["status"] == "succeeded"
    with pytest.raises(KeyError):
        client.service.forget(ended)


def test_forgetting_a_running_job_frees_its_slot(client: RehearsalClient) -> None:
    jobs = [client.submit() for _ in range(3)]
    client.clock.pass_by(10)
    assert client.status(jobs[2])["status"] == "in_queue"
    client.service.forget(jobs[0])
    assert client.status(jobs[2])["status"] == "in_progress"


@pytest.mark.parametrize("wrong", [{"queued": -1}, {"running": -0.1}, {"expiry": -1}, {"slots": 0}])
def test_impossible_timing_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="slot"):
        Timing(**wrong)
