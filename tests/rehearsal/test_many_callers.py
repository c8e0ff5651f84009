"""What the service offers to those who measure: one film for all, a slow wire, another address."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from nodes.rehearsal import DEFAULT_TOKEN, RehearsalService, Scene, Timing
from tests.support.rehearsal_client import MODEL_PATH, HandClock, RehearsalClient, Stage

FILM = Scene("The one film", "480p", "16:9", 2, seed=1)
AT_ONCE = Timing(queued=0, running=0)


def test_all_jobs_bring_the_same_film_which_is_made_once(stage: Stage) -> None:
    clock = HandClock()
    with RehearsalService(tokens=("first-token",), video=FILM, timing=AT_ONCE, clock=clock) as service:
        client = RehearsalClient(service, clock)
        jobs = [client.submit({"text": f"Boat {number}", "duration": 2}) for number in range(3)]
        results = [client.finish(job) for job in jobs]
        assert [result["status"] for result in results] == ["succeeded"] * 3
        films = {client.call("GET", f"/media/{job}.mp4").content for job in jobs}
    assert stage.filmed == ["The one film"]
    assert len(films) == 1


def test_links_lead_to_where_clients_reach_the_service(stage: Stage) -> None:
    clock = HandClock()
    with RehearsalService(
        tokens=("first-token",), address="http://127.0.0.1:1", timing=AT_ONCE, clock=clock
    ) as service:
        client = RehearsalClient(service, clock)
        assert client.finish(client.submit())["output"] == {
            "video": f"http://127.0.0.1:1/media/{service.submissions[0].request_id}.mp4"
        }


def test_a_slow_wire_takes_its_time_for_every_call_and_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with RehearsalService(latency=0.15) as service, requests.Session() as session:
        for _ in range(3):
            session.get(f"{service.origin}/v1/requests/none/status", timeout=30)
    assert slept == [0.15] * 4


def test_two_hundred_callers_at_once_are_all_answered(stage: Stage) -> None:
    answers: list[int] = []
    together = threading.Barrier(200)

    def submit(origin: str) -> None:
        together.wait(30)
        headers = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
        answer = requests.post(origin + MODEL_PATH, json={"text": "A boat"}, headers=headers, timeout=30)
        answers.append(answer.status_code)

    # By this clock nobody takes long; so those for whom there is no place at once wait for one.
    with RehearsalService(video=FILM, clock=HandClock()) as service:
        callers = [threading.Thread(target=submit, args=(service.origin,)) for _ in range(200)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert len({job.request_id for job in service.submissions}) == 200
    assert answers == [200] * 200
