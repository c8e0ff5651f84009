"""Every documented answer of the Model API."""

from __future__ import annotations

from datetime import datetime

import pytest

from nodes.rehearsal import JobState, RehearsalService
from tests.support.rehearsal_client import MODEL_PATH, OWNER, SHORT, STRANGER, HandClock, RehearsalClient, Stage

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_submit_answers_with_the_id_and_its_links(client: RehearsalClient) -> None:
    reply = client.call("POST", MODEL_PATH, body={"text": "x"})
    assert reply.status_code == 200
    told = reply.json()
    about = f"{client.service.origin}/v1/requests/{told['request_id']}"
    assert told == {
        "request_id": told["request_id"],
        "status_url": f"{about}/status",
        "result_url": f"{about}/result",
        "cancel_url": f"{about}/cancel",
    }


def test_two_submits_of_the_same_input_are_two_jobs(client: RehearsalClient) -> None:
    assert client.submit() != client.submit()


def test_a_job_goes_through_its_states(client: RehearsalClient) -> None:
    job = client.submit()
    assert client.service.wait_until_rendered()
    assert (client.status(job)["status"], client.result(job)["status"]) == ("in_queue", "in_queue")
    assert client.status(job)["queue_position"] == 0
    client.clock.pass_by(10)
    assert (client.status(job)["status"], client.result(job)["status"]) == ("in_progress", "in_progress")
    assert "queue_position" not in client.status(job)
    client.clock.pass_by(20)
    assert (client.status(job)["status"], client.result(job)["status"]) == ("completed", "succeeded")


def test_output_is_there_only_after_success(client: RehearsalClient) -> None:
    job = client.submit()
    assert not {"output", "finished_at", "error", "cost"} & client.result(job).keys()
    result = client.finish(job)
    assert result["output"] == {"video": f"{client.service.origin}/media/{job}.mp4"}


def test_times_are_iso_8601(client: RehearsalClient) -> None:
    result = client.finish(client.submit())
    created, finished = (datetime.fromisoformat(str(result[name])) for name in ("created_at", "finished_at"))
    assert created.utcoffset() is not None
    assert (finished - created).total_seconds() == pytest.approx(30, abs=0.01)


def test_cost_only_when_asked_for(client: RehearsalClient) -> None:
    job = client.submit({"text": "x", "duration": 2})
    assert "cost" not in client.result(job, "?include_cost=true")
    assert "cost" not in client.finish(job)
    assert "cost" not in client.result(job, "?include_cost=false")
    assert client.result(job, "?include_cost=true")["cost"] == pytest.approx(0.04)


def test_a_failed_job_is_completed_to_the_status_call_and_failed_to_the_result_call(client: RehearsalClient) -> None:
    client.service.fail_next("The prompt was refused by the content check.")
    job, next_job = client.submit(), client.submit()
    assert "error" not in client.result(job)
    client.finish(job)
    assert client.status(job)["status"] == "completed"
    result = client.result(job, "?include_cost=true")
    assert (result["status"], result["error"]) == ("failed", "The prompt was refused by the content check.")
    assert "output" not in result
    assert result["cost"] == 0
    assert client.result(next_job)["status"] == "succeeded"
    assert client.call("GET", f"/media/{job}.mp4").status_code == 404


def test_cancel_takes_a_queued_job_out(client: RehearsalClient) -> None:
    job = client.submit()
    reply = client.cancel(job)
    assert (reply.status_code, reply.json()) == (202, {"request_id": job, "outcome": "cancelled"})
    client.clock.pass_by(60)
    assert (client.status(job)["status"], client.result(job)["status"]) == ("cancelled", "cancelled")
    assert client.service.submissions[0].cancelled
    assert client.cancel(job).json()["outcome"] == "not_cancellable"


@pytest.mark.parametrize("seconds", [10, 60])
def test_a_running_or_ended_job_cannot_be_cancelled(client: RehearsalClient, seconds: float) -> None:
    job = client.submit()
    assert client.service.wait_until_rendered()
    client.clock.pass_by(seconds)
    before = client.status(job)
    reply = client.cancel(job)
    assert (reply.status_code, reply.json()["outcome"]) == (202, "not_cancellable")
    assert client.status(job) == before
    assert not client.service.submissions[0].cancelled


def test_the_model_call_tells_price_and_schema(client: RehearsalClient) -> None:
    told = client.call("GET", MODEL_PATH).json()
    assert (told["base_price_usd"], told["price_unit"]) == (0.02, "second")
    assert told["pricing_note"]
    fields = told["input_schema"]["properties"]
    assert told["input_schema"]["required"] == ["text"]
    assert fields["resolution"]["enum"] == ["480p", "720p", "1080p"]
    assert fields["ratio"]["enum"] == ["16:9", "4:3", "1:1", "3:4", "9:16", "21:9"]
    assert fields["duration"]["enum"] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert {name: field.get("default") for name, field in fields.items() if name != "text"} == {
        "resolution": "480p",
        "ratio": "16:9",
        "duration": 5,
        "seed": 38810827,
    }


def test_a_service_may_tell_no_price(stage: Stage) -> None:
    clock = HandClock()
    with RehearsalService(tokens=(OWNER,), price_usd=None, clock=clock) as service:
        client = RehearsalClient(service, clock)
        assert "base_price_usd" not in client.call("GET", MODEL_PATH).json()
        job = client.submit()
        client.finish(job)
        assert "cost" not in client.result(job, "?include_cost=true")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer wrong", OWNER, f"Basic {OWNER}"])
def test_a_missing_or_wrong_token_is_401_with_400004(client: RehearsalClient, header: str | None) -> None:
    job = client.submit()
    headers = {} if header is None else {"Authorization": header}
    for method, path in (
        ("POST", MODEL_PATH),
        ("GET", MODEL_PATH),
        ("GET", f"/v1/requests/{job}/status"),
        ("GET", f"/v1/requests/{job}/result"),
        ("POST", f"/v1/requests/{job}/cancel"),
    ):
        reply = client.call(method, path, token=None, headers=headers, body=SHORT if path == MODEL_PATH else None)
        assert (reply.status_code, reply.json()["error_code"]) == (401, 400004)
        assert reply.json()["message"]
    assert len(client.service.submissions) == 1
    assert client.service.submissions[0].state is JobState.IN_QUEUE


def test_another_accounts_request_is_403001(client: RehearsalClient) -> None:
    job = client.submit(token=STRANGER)
    assert client.service.submissions[0].account == 1
    for method, call in (("GET", "status"), ("GET", "result"), ("POST", "cancel")):
        reply = client.call(method, f"/v1/requests/{job}/{call}")
        assert (reply.status_code, reply.json()["error_code"]) == (403, 403001)
    assert not client.service.submissions[0].cancelled


def test_an_unknown_request_is_404001_and_a_malformed_id_400001(client: RehearsalClient) -> None:
    for method, call in (("GET", "status"), ("GET", "result"), ("POST", "cancel")):
        reply = client.call(method, f"/v1/requests/{UNKNOWN}/{call}")
        assert (reply.status_code, reply.json()["error_code"]) == (404, 404001)
        reply = client.call(method, f"/v1/requests/no%20id/{call}")
        assert (reply.status_code, reply.json()["error_code"]) == (400, 400001)


def test_a_wrong_model_is_400001(client: RehearsalClient) -> None:
    for method in ("GET", "POST"):
        reply = client.call(method, "/v1/models/bytedance/seedance-9", body=SHORT if method == "POST" else None)
        assert (reply.status_code, reply.json()["error_code"]) == (400, 400001)
    assert client.service.submissions == ()


def test_unknown_paths_are_404_and_wrong_methods_405(client: RehearsalClient) -> None:
    assert client.call("GET", "/v2/anything").status_code == 404
    assert client.call("GET", "/media/../secret").status_code == 404
    for method, path, allowed in (
        ("DELETE", MODEL_PATH, "GET, POST"),
        ("POST", f"/v1/requests/{UNKNOWN}/status", "GET"),
        ("GET", f"/v1/requests/{UNKNOWN}/cancel", "POST"),
        ("POST", f"/media/{UNKNOWN}.mp4", "GET, HEAD"),
    ):
        reply = client.call(method, path)
        assert (reply.status_code, reply.headers["Allow"]) == (405, allowed)


def test_calls_are_counted_by_method_and_kind(client: RehearsalClient) -> None:
    job = client.submit()
    client.status(job)
    client.status(job)
    client.result(job)
    client.cancel(job)
    client.call("GET", MODEL_PATH)
    client.call("GET", f"/media/{job}.mp4")
    client.call("POST", MODEL_PATH, token="wrong")
    client.call("GET", "/nowhere")
    assert client.service.calls == {
        ("POST", "submit"): 2,
        ("GET", "status"): 2,
        ("GET", "result"): 1,
        ("POST", "cancel"): 1,
        ("GET", "model"): 1,
        ("GET", "media"): 1,
        ("GET", "unknown"): 1,
    }
