"""The five calls: what each sends, what its errors tell the user, and which of them prove that no job was created."""

from __future__ import annotations

import pytest

from nodes.errors import Charge
from nodes.runcomfy.errors import (
    AuthenticationError,
    ConnectError,
    InvalidResponse,
    NotFound,
    PermissionDenied,
    RateLimited,
    ReadError,
    RejectedError,
    RunComfyError,
    TransientError,
)
from nodes.runcomfy.responses import CancelOutcome, JobState
from nodes.texts import Text
from tests.support.calls import CALLS, REQUEST, Wire, answered, error_of, key_of

MODEL = "/v1/models/bytedance/seedance-1-0/pro/fast/text-to-video"
GATEWAY = b"<html>Forbidden</html>"
ABOUT_A_JOB = ("status", "result", "cancel")
CODES: dict[object, tuple[type[RunComfyError], str]] = {
    400001: (RejectedError, "invalidIdentifier"),
    "400001": (RejectedError, "invalidIdentifier"),
    400002: (RejectedError, "insufficientFunds"),
    400004: (AuthenticationError, "tokenRejected"),
    403001: (PermissionDenied, "permissionDenied"),
    404001: (NotFound, "notFound"),
}


def kind_of(error: RunComfyError) -> tuple[type[RunComfyError], str]:
    return type(error), key_of(error)


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
        client = answered(answer)
        found = CALLS[call](client)
        assert getattr(found, "state", found if given else None) == given, call
        assert isinstance(client.transport, Wire)
        (request,) = client.transport.sent
        assert (request.method, request.path, request.body) == sent, call


def test_what_is_called_before_the_first_byte_of_a_submit_is_handed_on() -> None:
    def refuse() -> None:
        raise InterruptedError("too late")

    with pytest.raises(InterruptedError, match="too late"):
        answered({"request_id": "job-1"}).submit(REQUEST, before_first_byte=refuse)


def test_an_unclear_submit_sends_the_user_to_look_before_running_again() -> None:
    no_ids: list[object] = [{"status": "in_queue"}, {}, [], GATEWAY, b""]
    no_ids += [{"request_id": value} for value in ("", "../x", "a/b", "x" * 129, None, 5, ["a"])]
    assert {type(error_of("submit", body)) for body in no_ids} == {InvalidResponse}
    rows: list[tuple[object, int]] = [
        *((GATEWAY, status) for status in (408, 409, 425, 499, 500, 502, 503, 504)),
        *((body, 200) for body in no_ids),
        *(({"error_code": code}, 200) for code in (None, 0, "", 500001, 503000, 408000, 409001)),
        ({"error_code": 400002}, 500),
        ({"request_id": "job-1"}, 302),
    ]
    for error in (ReadError("time-out"), *(error_of("submit", *row) for row in rows)):
        assert not error.not_accepted, error
        assert error.charge is Charge.UNKNOWN, error
        assert error.advice == Text("lookFirst"), error
        assert "Generations page" in error.advice


def test_a_refused_submit_was_not_charged() -> None:
    refused = (400, 401, 402, 403, 404, 405, 407, 410, 413, 418, 422, 429, 431, 451)
    bodies: tuple[object, ...] = (GATEWAY, b"", {"message": "No"}, {"error_code": 404001})
    errors = [error_of("submit", body, status) for status in refused for body in bodies]
    for error in (ConnectError("no connection"), *errors):
        assert error.not_accepted, error
        assert error.charge is Charge.NOTHING, error
        assert error.advice not in ("", Text("lookFirst")), error


def test_a_submit_that_is_refused_inside_a_success_is_refused_for_the_reason_that_stands_in_it() -> None:
    others: dict[object, tuple[type[RunComfyError], str]] = {
        **dict.fromkeys((400003, 422001, 7, "NoFunds"), (RejectedError, "inputRejected")),
        410000: (RejectedError, "rejected"),
        429001: (RateLimited, "rateLimited"),
    }
    for code, kind in (CODES | others).items():
        body = {"error_code": code, "error_message": "the reason"}
        error = error_of("submit", body)
        assert kind_of(error) == kind, code
        assert (error.not_accepted, error.charge) == (True, Charge.NOTHING), code
        assert "the reason" in str(error) or kind[0] is RateLimited, code
        assert answered(body | {"request_id": "job-1"}).submit(REQUEST) == "job-1", "an id counts all the same"


def test_a_read_or_cancel_is_refused_by_runcomfys_own_codes_whatever_the_http_status() -> None:
    for call in ABOUT_A_JOB:
        for code, kind in CODES.items():
            for status in (200, 400, 401, 403, 404):
                error = error_of(call, {"error_code": code, "error_message": "the reason"}, status)
                assert kind_of(error) == kind, (call, code, status)
                assert "the reason" in str(error), (call, code, status)
        # Whether the job may be seen is never how it ended.
        for code in (400004, 403001, 404001):
            for word in ("failed", "error", "completed", "in_progress"):
                assert kind_of(error_of(call, {"error_code": code, "status": word})) == CODES[code], (call, code, word)


def test_a_gateways_page_ends_no_paid_job() -> None:
    bodies: list[object] = [GATEWAY, b"", {"message": "No"}, {"code": 1}, [404001], {"message": "404001"}]
    for call in ABOUT_A_JOB:
        refusals = [(status, body) for status in (401, 403, 404) for body in bodies]
        refusals += [(status, GATEWAY) for status in (400, 402, 405, 407, 418, 422, 431)]
        for status, body in refusals:
            error = error_of(call, body, status)
            assert kind_of(error) == (TransientError, "gatewayError"), (call, status, body)
            assert str(status) in error.message, (call, status, body)
        gave_up = [error_of(call, GATEWAY, status) for status in (408, 409, 425, 499, 502)]
        gave_up += [error_of(call, {"error_code": code, "status": "error"}) for code in (500001, 503001)]
        for error in gave_up:
            assert kind_of(error) == (TransientError, "serverError"), (call, error)


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
            CALLS[call](answered({"request_id": same, "status": "completed", "outcome": "cancelled"}))


def test_every_error_about_a_job_names_it_and_what_it_may_cost() -> None:
    rows: list[tuple[object, int]] = [
        *(({}, 200), ([], 200), ({"error_code": 404001}, 200), ({}, 403), ({}, 404), ({}, 429), ({}, 503))
    ]
    for call in ABOUT_A_JOB:
        for row in rows:
            error = error_of(call, *row)
            assert (error.request_id, error.charge) == ("job-1", Charge.ACCEPTED), (call, row)
            assert str(error).endswith("Request id: job-1."), (call, row)
            assert error.advice not in ("", Text("lookFirst")), (call, row)


def test_what_was_asked_for_and_the_tokens_source_are_named() -> None:
    assert "seedance-1-0" in str(error_of("submit", {"code": 400001}, 400))
    assert "seedance-1-0" in str(error_of("model", {"code": 400001}, 400))
    assert "'job-1'" in str(error_of("status", {"code": 400001}, 400))
    for code in (400004, 403001):
        assert "THE_SOURCE" in str(error_of("status", {"code": code}, 401))


def test_the_services_own_words_are_quoted_as_one_short_line() -> None:
    for words in ("x" * 5000, "two\nlines\r\n and\ttabs", "expired."):
        for status in (400, 401, 402, 403, 404, 410, 503):
            for call in ("submit", "status"):
                error = error_of(call, {"message": words}, status)
                assert error.message.count('"') == 2, error
                assert len(str(error)) < 600, error
                assert str(error).isprintable(), error
                # By these beginnings, ComfyUI's own page asks for a sign-in or a top-up of another account.
                assert not str(error).startswith(("Unauthorized: Please login first", "Payment Required")), error
    assert '"' not in error_of("submit", {"message": "   "}, 422).message


def test_the_services_reason_reaches_the_user_under_any_name() -> None:
    bodies: list[object] = [
        *({name: "the reason"} for name in ("error_message", "message", "error", "detail")),
        {"error": {"message": "the reason"}},
        {"error": {"code": 1, "detail": "the reason"}},
        {"detail": {"message": "the reason"}},
        {"detail": [{"loc": ["body", "duration"], "msg": "the reason"}]},
        {"error_message": None, "message": "", "error": "the reason", "detail": "a zebra"},
        {"error_message": "the reason", "message": "a zebra", "error": "a zebra", "detail": "a zebra"},
    ]
    for body in bodies:
        for status in (400, 401, 402, 403, 404, 409, 422, 500, 503):
            for call in ("model", "status"):
                text = str(error_of(call, body, status))
                assert "the reason" in text, (body, status)
                assert "zebra" not in text, (body, status)


def test_how_long_the_service_asks_to_wait() -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    for told, seconds in (("3", 3.0), ("0.5", 0.5), ("", None), (date, None), ("-5", None), ("inf", None)):
        for status, kind in ((429, RateLimited), (503, TransientError)):
            error = error_of("model", {}, status, {"retry-after": told})
            assert (type(error), error.retry_after) == (kind, seconds), told
