"""The five calls: which method, path, query and body each sends, and whose job an error is about."""

from __future__ import annotations

import json

import pytest

from nodes.errors import Charge
from nodes.runcomfy.client import RunComfy
from nodes.runcomfy.errors import (
    LOOK_FIRST,
    AuthenticationError,
    GatewayError,
    InsufficientFunds,
    InvalidIdentifier,
    InvalidResponse,
    NotFound,
    PermissionDenied,
    RateLimited,
    RejectedError,
    RunComfyError,
    ServerError,
    TransientError,
    ValidationError,
)
from nodes.runcomfy.responses import ApiResponse, CancelOutcome, JobState
from tests.support.calls import CALLS, REQUEST, Wire

MODEL = "/v1/models/bytedance/seedance-1-0/pro/fast/text-to-video"
GATEWAY = "<html>Forbidden</html>"
ABOUT_A_JOB = ("status", "result", "cancel")


def wire(answer: object, status: int = 200) -> Wire:
    body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    return Wire(ApiResponse(status, {}, body))


def client(answering: Wire) -> RunComfy:
    return RunComfy(answering, "THE_SOURCE")


def error_of(call: str, answer: object, status: int = 200) -> RunComfyError:
    with pytest.raises(RunComfyError) as raised:
        CALLS[call](client(wire(answer, status)))
    return raised.value


def test_what_each_call_sends_and_gives() -> None:
    body = {"text": "A boat", "resolution": "720p", "ratio": "1:1", "duration": 2, "seed": 7}
    job = "/v1/requests/job-1"
    rows: dict[str, tuple[object, tuple[str, str, object], object]] = {
        "submit": ({"request_id": "job-1"}, ("POST", MODEL, body), "job-1"),
        "status": ({"status": "in_queue"}, ("GET", f"{job}/status", None), JobState.QUEUED),
        "result": ({"status": "succeeded"}, ("GET", f"{job}/result?include_cost=true", None), JobState.SUCCEEDED),
        "cancel": ({"outcome": "canceled"}, ("POST", f"{job}/cancel", None), CancelOutcome.CANCELLED),
        "model": ({"base_price_usd": 0.02}, ("GET", MODEL, None), None),
    }
    for call, (answer, sent, given) in rows.items():
        answering = wire(answer)
        found = CALLS[call](client(answering))
        assert getattr(found, "state", found if given else None) == given, call
        (request,) = answering.sent
        assert (request.method, request.path, request.body) == sent, call


def test_what_is_called_before_the_first_byte_of_a_submit_is_handed_on() -> None:
    def refuse() -> None:
        raise InterruptedError("too late")

    answering = wire({"request_id": "job-1"})
    with pytest.raises(InterruptedError, match="too late"):
        client(answering).submit(REQUEST, before_first_byte=refuse)
    assert answering.sent == []


def test_an_unclear_submit_sends_the_user_to_look_before_running_again() -> None:
    no_ids: list[object] = [{"status": "in_queue"}, {}, [], GATEWAY, "", {"request_id": "../x"}]
    rows: list[tuple[object, int]] = [
        *((GATEWAY, status) for status in (408, 409, 425, 499, 500, 502, 503, 504)),
        *((body, 200) for body in no_ids),
        *(({"error_code": code}, 200) for code in (None, 0, "", 500001, 503000, 408000, 409001)),
        ({"error_code": 400002}, 500),
        ({"request_id": "job-1"}, 302),
    ]
    for body, status in rows:
        error = error_of("submit", body, status)
        assert not error.not_accepted, (body, status)
        assert error.charge is Charge.UNKNOWN, (body, status)
        assert "Generations page" in error.advice, (body, status)


def test_a_refused_submit_was_not_charged() -> None:
    for status in (400, 401, 402, 403, 404, 405, 407, 410, 413, 418, 422, 429, 431, 451):
        for body in (GATEWAY, "", {"message": "No"}, {"error_code": 404001}):
            error = error_of("submit", body, status)
            assert error.not_accepted, (status, body)
            assert error.charge is Charge.NOTHING, (status, body)


CODES: dict[object, type[RunComfyError]] = {
    400001: InvalidIdentifier,
    "400001": InvalidIdentifier,
    400002: InsufficientFunds,
    400004: AuthenticationError,
    403001: PermissionDenied,
    404001: NotFound,
}


def test_a_submit_that_is_refused_inside_a_success_is_refused_for_the_reason_that_stands_in_it() -> None:
    others: dict[object, type[RunComfyError]] = {
        **dict.fromkeys((400003, 422001, 7, "NoFunds"), ValidationError),
        410000: RejectedError,
        429001: RateLimited,
    }
    for code, kind in (CODES | others).items():
        body = {"error_code": code, "error_message": "the reason"}
        error = error_of("submit", body)
        assert type(error) is kind, code
        assert error.not_accepted, code
        assert error.charge is Charge.NOTHING, code
        assert "the reason" in str(error) or kind is RateLimited, code
        assert client(wire(body | {"request_id": "job-1"})).submit(REQUEST) == "job-1", "an id counts all the same"


def test_a_read_or_cancel_is_refused_by_runcomfys_own_codes_whatever_the_http_status() -> None:
    for call in ABOUT_A_JOB:
        for code, kind in CODES.items():
            for status in (200, 400, 401, 403, 404):
                error = error_of(call, {"error_code": code, "error_message": "the reason"}, status)
                assert type(error) is kind, (call, code, status)
                assert "the reason" in str(error), (call, code, status)
        # Whether the job may be seen is never how it ended.
        for code in (400004, 403001, 404001):
            for word in ("failed", "error", "completed", "in_progress"):
                error = error_of(call, {"error_code": code, "status": word})
                assert type(error) is CODES[code], (call, code, word)


def test_a_gateways_page_ends_no_paid_job() -> None:
    for call in ABOUT_A_JOB:
        for status in (401, 403, 404):
            for body in (GATEWAY, "", {"message": "No"}, {"code": 1}, [404001], {"message": "404001"}):
                error = error_of(call, body, status)
                assert type(error) is GatewayError, (call, status, body)
                assert str(status) in error.message, (call, status, body)
        for status in (400, 402, 405, 407, 418, 422, 431):
            assert type(error_of(call, GATEWAY, status)) is GatewayError, (call, status)
        for status in (408, 409, 425, 499, 502):
            assert type(error_of(call, GATEWAY, status)) is ServerError, (call, status)
        for code in (500001, 503001):
            envelope = {"error_code": code, "status": "error", "error_message": "try later"}
            assert type(error_of(call, envelope)) is ServerError, (call, code)


def test_a_token_that_is_checked_by_asking_for_the_model_is_refused_by_the_status_alone() -> None:
    assert type(error_of("model", GATEWAY, 401)) is AuthenticationError
    assert type(error_of("model", {"error_code": 400004})) is AuthenticationError
    assert error_of("model", GATEWAY, 502).charge is Charge.NOTHING


def test_an_answer_about_another_job_is_none() -> None:
    for call in ABOUT_A_JOB:
        for other in ("job-2", "JOB-1", ""):
            error = error_of(call, {"request_id": other, "status": "completed", "outcome": "cancelled"})
            assert isinstance(error, InvalidResponse), (call, other)
            assert "another job" in error.message, (call, other)
        for same in ("job-1", None, 7):
            CALLS[call](client(wire({"request_id": same, "status": "completed", "outcome": "cancelled"})))


def test_every_error_about_a_job_names_it_and_what_it_may_cost() -> None:
    rows: list[tuple[object, int]] = [
        *(({}, 200), ([], 200), ({"error_code": 404001}, 200), ({}, 403), ({}, 404), ({}, 429), ({}, 503))
    ]
    for call in ABOUT_A_JOB:
        for body, status in rows:
            error = error_of(call, body, status)
            assert error.request_id == "job-1", (call, body, status)
            assert error.charge is Charge.ACCEPTED, (call, body, status)
            assert str(error).endswith("Request id: job-1."), (call, body, status)
            assert error.advice != LOOK_FIRST, (call, body, status)
    with pytest.raises(TransientError) as raised:
        client(wire({}, 503)).result("job-1", charge=Charge.EARLIER)
    assert raised.value.charge is Charge.EARLIER


def test_what_was_asked_for_and_the_tokens_source_are_named() -> None:
    assert "seedance-1-0" in str(error_of("submit", {"code": 400001}, 400))
    assert "seedance-1-0" in str(error_of("model", {"code": 400001}, 400))
    assert "'job-1'" in str(error_of("status", {"code": 400001}, 400))
    for code in (400004, 403001):
        assert "THE_SOURCE" in str(error_of("status", {"code": code}, 401))
