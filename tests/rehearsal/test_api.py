"""Every documented answer of the Model API."""

from __future__ import annotations

from datetime import datetime

import pytest
import requests

from tests.support.rehearsal_client import MODEL_PATH, OWNER, SHORT, STRANGER, RehearsalClient

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ABOUT_A_JOB = (("GET", "status"), ("GET", "result"), ("POST", "cancel"))


def test_links_lead_to_where_the_client_reached_the_service(client: RehearsalClient) -> None:
    """Also where something stands in between."""
    for host in (client.service.origin.removeprefix("http://"), "127.0.0.1:1"):
        answer = client.call("POST", MODEL_PATH, body={"text": "x"}, headers={"Host": host}).json()
        job = answer["request_id"]
        links = {f"{call}_url": f"http://{host}/v1/requests/{job}/{call}" for _, call in ABOUT_A_JOB}
        assert answer == {"request_id": job, **links}
        client.finish(job)
        result = client.call("GET", f"/v1/requests/{job}/result", headers={"Host": host}).json()
        assert result["output"] == {"video": f"http://{host}/media/{job}.mp4"}
    assert len(client.service.submissions) == 2, "the same input twice is two jobs"


def test_a_job_goes_through_its_states(client: RehearsalClient) -> None:
    job = client.submit()
    assert client.service.wait_until_rendered()
    for seconds, status, result in (
        (0, "in_queue", "in_queue"),
        (10, "in_queue", "in_queue"),
        (0.1, "in_progress", "in_progress"),
        (19.9, "in_progress", "in_progress"),
        (0.1, "completed", "succeeded"),
    ):
        client.clock.now += seconds
        assert (client.status(job)["status"], client.result(job)["status"]) == (status, result)
        assert ("queue_position" in client.status(job)) == (status == "in_queue")
        assert ("output" in client.result(job)) == ("finished_at" in client.result(job)) == (result == "succeeded")


def test_the_result_of_a_success(client: RehearsalClient) -> None:
    job = client.submit({"text": "x", "duration": 2})
    assert "cost" not in client.result(job, "?include_cost=true"), "before the end"
    result = client.finish(job)
    assert not {"error", "cost"} & result.keys()
    created, finished = (datetime.fromisoformat(str(result[name])) for name in ("created_at", "finished_at"))
    assert created.utcoffset() is not None
    assert (finished - created).total_seconds() == pytest.approx(30, abs=0.01)
    assert "cost" not in client.result(job, "?include_cost=false")
    assert client.result(job, "?include_cost=true")["cost"] == pytest.approx(0.04)


def test_a_failed_job_is_completed_to_the_status_call_and_failed_to_the_result_call(client: RehearsalClient) -> None:
    client.service.fail_next("The prompt was refused by the content check.")
    job, next_job = client.submit(), client.submit()
    assert "error" not in client.result(job)
    client.finish(job)
    assert client.status(job)["status"] == "completed"
    result = client.result(job, "?include_cost=true")
    assert (result["status"], result["cost"], "output" in result) == ("failed", 0, False)
    assert "The prompt was refused by the content check." in str(result["error"])
    assert client.result(next_job)["status"] == "succeeded"
    assert client.fetch_video(job).status_code == 404


def test_only_a_queued_job_can_be_cancelled(client: RehearsalClient) -> None:
    queued, job = client.submit(), client.submit()
    reply = client.cancel(queued)
    assert (reply.status_code, reply.json()) == (202, {"request_id": queued, "outcome": "cancelled"})
    assert client.service.wait_until_rendered()
    for seconds, status in ((11, "in_progress"), (60, "completed")):
        client.clock.now += seconds
        reply = client.cancel(job)
        assert (reply.status_code, reply.json()["outcome"]) == (202, "not_cancellable")
        assert client.status(job)["status"] == status
    assert client.cancel(queued).json()["outcome"] == "not_cancellable"
    assert (client.status(queued)["status"], client.result(queued)["status"]) == ("cancelled", "cancelled")
    assert client.fetch_video(queued).status_code == 404


def test_the_model_call_shows_price_and_schema(client: RehearsalClient) -> None:
    answer = client.call("GET", MODEL_PATH).json()
    assert (answer["base_price_usd"], answer["price_unit"]) == (0.02, "second")
    assert answer["pricing_note"]
    assert answer["input_schema"]["required"] == ["text"]
    fields = {name: (each["type"], each.get("default"), each.get("enum"))
              for name, each in answer["input_schema"]["properties"].items()}  # fmt: skip
    assert fields == {
        "text": ("string", None, None),
        "resolution": ("string", "480p", ["480p", "720p", "1080p"]),
        "ratio": ("string", "16:9", ["16:9", "4:3", "1:1", "3:4", "9:16", "21:9"]),
        "duration": ("integer", 5, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        "seed": ("integer", 38810827, None),
    }


def test_refusals_have_runcomfys_codes(client: RehearsalClient) -> None:
    """For a missing or wrong token, another account's job, and unknown jobs and models."""
    job, strangers = client.submit(), client.submit(token=STRANGER)
    calls = [("POST", MODEL_PATH), ("GET", MODEL_PATH)]
    calls += [(method, f"/v1/requests/{job}/{call}") for method, call in ABOUT_A_JOB]
    rows = [
        (*call, {} if header is None else {"Authorization": header}, 401, 400004)
        for header in (None, "", "Bearer", "Bearer ", "Bearer wrong", OWNER, f"Basic {OWNER}")
        for call in calls
    ]
    token = {"Authorization": f"Bearer {OWNER}"}
    rows += [
        (method, f"/v1/requests/{request_id}/{call}", token, *refusal)
        for request_id, refusal in {
            strangers: (403, 403001),
            **dict.fromkeys((UNKNOWN, "no%20id", "a" * 200), (404, 404001)),
        }.items()
        for method, call in ABOUT_A_JOB
    ]
    rows += [(method, "/v1/models/bytedance/seedance-9", token, 400, 400001) for method in ("GET", "POST")]
    for method, path, headers, status, code in rows:
        body = SHORT if path.startswith("/v1/models/") and method == "POST" else None
        reply = client.call(method, path, token=None, headers=headers, body=body)
        assert (reply.status_code, reply.json()["error_code"]) == (status, code), (method, path, headers)
        assert reply.json()["message"]
    states = [(each.request_id, each.account, each.state.value) for each in client.service.submissions]
    assert states == [(job, 0, "in_queue"), (strangers, 1, "in_queue")]


def test_unknown_paths_are_404_and_wrong_methods_405(client: RehearsalClient) -> None:
    for path in ("/", "/v2/anything", "/media/../secret", f"/media/{UNKNOWN}.mp4", "/v1/models/"):
        assert client.call("GET", path).status_code == 404, path
    for method, path, allowed in (
        ("DELETE", MODEL_PATH, {"GET", "POST"}),
        ("POST", f"/v1/requests/{UNKNOWN}/status", {"GET"}),
        ("GET", f"/v1/requests/{UNKNOWN}/cancel", {"POST"}),
        ("POST", f"/media/{UNKNOWN}.mp4", {"GET", "HEAD"}),
    ):
        reply = client.call(method, path)
        assert (reply.status_code, set(reply.headers["Allow"].split(","))) == (405, allowed), (method, path)


def test_a_video_is_fetched_without_a_token_by_the_link_of_the_result(client: RehearsalClient) -> None:
    output = client.finish(client.submit())["output"]
    assert isinstance(output, dict)
    reply, head = requests.get(output["video"], timeout=30), requests.head(output["video"], timeout=30)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "video/mp4")
    assert int(reply.headers["Content-Length"]) == int(head.headers["Content-Length"]) == len(reply.content)
    assert reply.content[4:8] == b"ftyp"
