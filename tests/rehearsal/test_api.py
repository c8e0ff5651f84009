"""Every documented answer of the Model API."""

from __future__ import annotations

from datetime import datetime

import pytest
import requests

from tests.support.rehearsal import RehearsalService
from tests.support.rehearsal_client import MODEL_PATH, OWNER, SHORT, STRANGER, HandClock, RehearsalClient

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_submit_answers_with_the_id_and_its_links(client: RehearsalClient) -> None:
    reply = client.call("POST", MODEL_PATH, body={"text": "x"})
    assert reply.status_code == 200
    answer = reply.json()
    about = f"{client.service.origin}/v1/requests/{answer['request_id']}"
    assert answer == {
        "request_id": answer["request_id"],
        "status_url": f"{about}/status",
        "result_url": f"{about}/result",
        "cancel_url": f"{about}/cancel",
    }


def test_links_lead_to_where_the_client_reached_the_service(client: RehearsalClient) -> None:
    """Also where something stands in between."""
    headers = {"Host": "127.0.0.1:1"}
    answer = client.call("POST", MODEL_PATH, body={"text": "x"}, headers=headers).json()
    client.finish(answer["request_id"])
    result = client.call("GET", f"/v1/requests/{answer['request_id']}/result", headers=headers).json()
    assert answer["status_url"].startswith("http://127.0.0.1:1/v1/")
    assert result["output"]["video"].startswith("http://127.0.0.1:1/media/")
    assert client.submit() != client.submit(), "the same input twice is two jobs"


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
        client.clock.pass_by(seconds)
        assert (client.status(job)["status"], client.result(job)["status"]) == (status, result)
        assert ("queue_position" in client.status(job)) == (status == "in_queue")
        assert ("output" in client.result(job)) == ("finished_at" in client.result(job)) == (result == "succeeded")


def test_the_result_of_a_success(client: RehearsalClient) -> None:
    job = client.submit({"text": "x", "duration": 2})
    assert "cost" not in client.result(job, "?include_cost=true"), "before the end"
    result = client.finish(job)
    assert result["output"] == {"video": f"{client.service.origin}/media/{job}.mp4"}
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
    assert result["status"] == "failed"
    assert "The prompt was refused by the content check." in str(result["error"])
    assert "output" not in result
    assert result["cost"] == 0
    assert client.result(next_job)["status"] == "succeeded"
    assert client.fetch_video(job).status_code == 404


def test_only_a_queued_job_can_be_cancelled(client: RehearsalClient) -> None:
    queued, job = client.submit(), client.submit()
    reply = client.cancel(queued)
    assert (reply.status_code, reply.json()) == (202, {"request_id": queued, "outcome": "cancelled"})
    assert client.service.wait_until_rendered()
    for seconds, status in ((11, "in_progress"), (60, "completed")):
        client.clock.pass_by(seconds)
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
    fields = answer["input_schema"]["properties"]
    assert answer["input_schema"]["required"] == ["text"]
    assert fields["resolution"]["enum"] == ["480p", "720p", "1080p"]
    assert fields["ratio"]["enum"] == ["16:9", "4:3", "1:1", "3:4", "9:16", "21:9"]
    assert fields["duration"]["enum"] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    types = {"text": "string", "resolution": "string", "ratio": "string", "duration": "integer", "seed": "integer"}
    assert {name: field["type"] for name, field in fields.items()} == types
    defaults = {"resolution": "480p", "ratio": "16:9", "duration": 5, "seed": 38810827}
    assert {name: field["default"] for name, field in fields.items() if name != "text"} == defaults


def test_a_service_may_name_no_price() -> None:
    clock = HandClock()
    with RehearsalService(tokens=(OWNER,), price_usd=None, clock=clock, make=lambda *_: b"") as service:
        client = RehearsalClient(service, clock)
        assert "base_price_usd" not in client.call("GET", MODEL_PATH).json()
        client.finish(job := client.submit())
        assert "cost" not in client.result(job, "?include_cost=true")


def test_a_missing_or_wrong_token_is_401_with_400004(client: RehearsalClient) -> None:
    job = client.submit()
    for header in (None, "", "Bearer", "Bearer ", "Bearer wrong", OWNER, f"Basic {OWNER}"):
        headers = {} if header is None else {"Authorization": header}
        for method, path in (
            ("POST", MODEL_PATH),
            ("GET", MODEL_PATH),
            ("GET", f"/v1/requests/{job}/status"),
            ("GET", f"/v1/requests/{job}/result"),
            ("POST", f"/v1/requests/{job}/cancel"),
        ):
            reply = client.call(method, path, token=None, headers=headers, body=SHORT if path == MODEL_PATH else None)
            assert (reply.status_code, reply.json()["error_code"]) == (401, 400004), (header, method, path)
            assert reply.json()["message"]
    assert [each.request_id for each in client.service.submissions] == [job]
    assert client.status(job)["status"] == "in_queue"


def test_ids_and_models_that_are_not_this_accounts(client: RehearsalClient) -> None:
    strangers = client.submit(token=STRANGER)
    for request_id, status, code in (
        (strangers, 403, 403001),
        (UNKNOWN, 404, 404001),
        ("no%20id", 400, 400001),
        ("a" * 200, 400, 400001),
    ):
        for method, call in (("GET", "status"), ("GET", "result"), ("POST", "cancel")):
            reply = client.call(method, f"/v1/requests/{request_id}/{call}")
            assert (reply.status_code, reply.json()["error_code"]) == (status, code), (request_id, call)
    for method in ("GET", "POST"):
        reply = client.call(method, "/v1/models/bytedance/seedance-9", body=SHORT if method == "POST" else None)
        assert (reply.status_code, reply.json()["error_code"]) == (400, 400001), method
    (submission,) = client.service.submissions
    assert (submission.account, submission.cancelled) == (1, False)


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


def test_a_video_is_fetched_without_a_token_by_the_link_of_the_result(client_of_real_videos: RehearsalClient) -> None:
    client = client_of_real_videos
    output = client.finish(client.submit())["output"]
    assert isinstance(output, dict)
    reply, head = requests.get(output["video"], timeout=30), requests.head(output["video"], timeout=30)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "video/mp4")
    assert int(reply.headers["Content-Length"]) == int(head.headers["Content-Length"]) == len(reply.content)
    assert reply.content[4:8] == b"ftyp"
