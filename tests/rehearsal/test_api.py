"""Every documented answer of the Model API."""

from __future__ import annotations

from datetime import datetime

import pytest

from nodes.rehearsal import JobState, RehearsalService
from tests.support.rehearsal_client import MODEL_PATH, OWNER, SHORT, STRANGER, Desk, HandClock, Stage

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_submit_answers_with_the_id_and_its_links(desk: Desk) -> None:
    reply = desk.call("POST", MODEL_PATH, body={"text": "x"})
    assert reply.status_code == 200
    told = reply.json()
    about = f"{desk.service.origin}/v1/requests/{told['request_id']}"
    assert told == {
        "request_id": told["request_id"],
        "status_url": f"{about}/status",
        "result_url": f"{about}/result",
        "cancel_url": f"{about}/cancel",
    }


def test_two_submits_of_the_same_input_are_two_jobs(desk: Desk) -> None:
    assert desk.submit() != desk.submit()


def test_a_job_goes_through_its_states(desk: Desk) -> None:
    job = desk.submit()
    assert desk.service.wait_for_footage()
    assert (desk.status(job)["status"], desk.result(job)["status"]) == ("in_queue", "in_queue")
    assert desk.status(job)["queue_position"] == 0
    desk.clock.pass_by(10)
    assert (desk.status(job)["status"], desk.result(job)["status"]) == ("in_progress", "in_progress")
    assert "queue_position" not in desk.status(job)
    desk.clock.pass_by(20)
    assert (desk.status(job)["status"], desk.result(job)["status"]) == ("completed", "succeeded")


def test_output_is_there_only_after_success(desk: Desk) -> None:
    job = desk.submit()
    assert not {"output", "finished_at", "error", "cost"} & desk.result(job).keys()
    result = desk.finish(job)
    assert result["output"] == {"video": f"{desk.service.origin}/media/{job}.mp4"}


def test_times_are_iso_8601(desk: Desk) -> None:
    result = desk.finish(desk.submit())
    created, finished = (datetime.fromisoformat(str(result[name])) for name in ("created_at", "finished_at"))
    assert created.utcoffset() is not None
    assert (finished - created).total_seconds() == pytest.approx(30, abs=0.01)


def test_cost_only_when_asked_for(desk: Desk) -> None:
    job = desk.submit({"text": "x", "duration": 2})
    assert "cost" not in desk.result(job, "?include_cost=true")
    assert "cost" not in desk.finish(job)
    assert "cost" not in desk.result(job, "?include_cost=false")
    assert desk.result(job, "?include_cost=true")["cost"] == pytest.approx(0.04)


def test_a_failed_job_is_completed_to_the_status_call_and_failed_to_the_result_call(desk: Desk) -> None:
    desk.service.fail_next("The prompt was refused by the content check.")
    job, next_job = desk.submit(), desk.submit()
    assert "error" not in desk.result(job)
    desk.finish(job)
    assert desk.status(job)["status"] == "completed"
    result = desk.result(job, "?include_cost=true")
    assert (result["status"], result["error"]) == ("failed", "The prompt was refused by the content check.")
    assert "output" not in result
    assert result["cost"] == 0
    assert desk.result(next_job)["status"] == "succeeded"
    assert desk.call("GET", f"/media/{job}.mp4").status_code == 404


def test_cancel_takes_a_queued_job_out(desk: Desk) -> None:
    job = desk.submit()
    reply = desk.cancel(job)
    assert (reply.status_code, reply.json()) == (202, {"request_id": job, "outcome": "cancelled"})
    desk.clock.pass_by(60)
    assert (desk.status(job)["status"], desk.result(job)["status"]) == ("cancelled", "cancelled")
    assert desk.service.submissions[0].cancelled
    assert desk.cancel(job).json()["outcome"] == "not_cancellable"


@pytest.mark.parametrize("seconds", [10, 60])
def test_a_running_or_ended_job_cannot_be_cancelled(desk: Desk, seconds: float) -> None:
    job = desk.submit()
    assert desk.service.wait_for_footage()
    desk.clock.pass_by(seconds)
    before = desk.status(job)
    reply = desk.cancel(job)
    assert (reply.status_code, reply.json()["outcome"]) == (202, "not_cancellable")
    assert desk.status(job) == before
    assert not desk.service.submissions[0].cancelled


def test_the_model_call_tells_price_and_schema(desk: Desk) -> None:
    told = desk.call("GET", MODEL_PATH).json()
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
        desk = Desk(service, clock)
        assert "base_price_usd" not in desk.call("GET", MODEL_PATH).json()
        job = desk.submit()
        desk.finish(job)
        assert "cost" not in desk.result(job, "?include_cost=true")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer wrong", OWNER, f"Basic {OWNER}"])
def test_a_missing_or_wrong_token_is_401_with_400004(desk: Desk, header: str | None) -> None:
    job = desk.submit()
    headers = {} if header is None else {"Authorization": header}
    for method, path in (
        ("POST", MODEL_PATH),
        ("GET", MODEL_PATH),
        ("GET", f"/v1/requests/{job}/status"),
        ("GET", f"/v1/requests/{job}/result"),
        ("POST", f"/v1/requests/{job}/cancel"),
    ):
        reply = desk.call(method, path, token=None, headers=headers, body=SHORT if path == MODEL_PATH else None)
        assert (reply.status_code, reply.json()["error_code"]) == (401, 400004)
        assert reply.json()["message"]
    assert len(desk.service.submissions) == 1
    assert desk.service.submissions[0].state is JobState.IN_QUEUE


def test_another_accounts_request_is_403001(desk: Desk) -> None:
    job = desk.submit(token=STRANGER)
    assert desk.service.submissions[0].account == 1
    for method, call in (("GET", "status"), ("GET", "result"), ("POST", "cancel")):
        reply = desk.call(method, f"/v1/requests/{job}/{call}")
        assert (reply.status_code, reply.json()["error_code"]) == (403, 403001)
    assert not desk.service.submissions[0].cancelled


def test_an_unknown_request_is_404001_and_a_malformed_id_400001(desk: Desk) -> None:
    for method, call in (("GET", "status"), ("GET", "result"), ("POST", "cancel")):
        reply = desk.call(method, f"/v1/requests/{UNKNOWN}/{call}")
        assert (reply.status_code, reply.json()["error_code"]) == (404, 404001)
        reply = desk.call(method, f"/v1/requests/no%20id/{call}")
        assert (reply.status_code, reply.json()["error_code"]) == (400, 400001)


def test_a_wrong_model_is_400001(desk: Desk) -> None:
    for method in ("GET", "POST"):
        reply = desk.call(method, "/v1/models/bytedance/seedance-9", body=SHORT if method == "POST" else None)
        assert (reply.status_code, reply.json()["error_code"]) == (400, 400001)
    assert desk.service.submissions == ()


def test_unknown_paths_are_404_and_wrong_methods_405(desk: Desk) -> None:
    assert desk.call("GET", "/v2/anything").status_code == 404
    assert desk.call("GET", "/media/../secret").status_code == 404
    for method, path, allowed in (
        ("DELETE", MODEL_PATH, "GET, POST"),
        ("POST", f"/v1/requests/{UNKNOWN}/status", "GET"),
        ("GET", f"/v1/requests/{UNKNOWN}/cancel", "POST"),
        ("POST", f"/media/{UNKNOWN}.mp4", "GET, HEAD"),
    ):
        reply = desk.call(method, path)
        assert (reply.status_code, reply.headers["Allow"]) == (405, allowed)


def test_calls_are_counted_by_method_and_kind(desk: Desk) -> None:
    job = desk.submit()
    desk.status(job)
    desk.status(job)
    desk.result(job)
    desk.cancel(job)
    desk.call("GET", MODEL_PATH)
    desk.call("GET", f"/media/{job}.mp4")
    desk.call("POST", MODEL_PATH, token="wrong")
    desk.call("GET", "/nowhere")
    assert desk.service.calls == {
        ("POST", "submit"): 2,
        ("GET", "status"): 2,
        ("GET", "result"): 1,
        ("POST", "cancel"): 1,
        ("GET", "model"): 1,
        ("GET", "media"): 1,
        ("GET", "unknown"): 1,
    }
