"""The five calls: what each sends, what its errors tell the user, and which of them prove that no job was created."""

from __future__ import annotations

from itertools import product

from nodes.errors import Charge
from nodes.runcomfy import errors
from nodes.runcomfy.errors import InvalidResponse, RunComfyError
from nodes.runcomfy.responses import JobState
from nodes.texts import Text
from tests.support.calls import CALLS, REQUEST, Wire, answered, error_of, key_of

MODEL = "/v1/models/bytedance/seedance-1-0/pro/fast/text-to-video"
GATEWAY = b"<html>Forbidden</html>"
ABOUT_A_JOB = ("status", "result", "cancel")
Kind = tuple[type[RunComfyError], str]
CODES: dict[object, Kind] = {
    400001: (errors.RejectedError, "invalidIdentifier"),
    "400001": (errors.RejectedError, "invalidIdentifier"),
    400002: (errors.RejectedError, "insufficientFunds"),
    400004: (errors.RejectedError, "tokenRejected"),
    403001: (errors.PermissionDenied, "permissionDenied"),
    404001: (errors.NotFound, "notFound"),
}


def error(call: str, body: object, status: int = 200, headers: dict[str, str] | None = None) -> RunComfyError:
    """What a call raises that is answered so. Whatever it is, the user learns what it may cost, and what to do."""
    found = error_of(call, body, status, headers)
    row = (call, body, status)
    if call in ABOUT_A_JOB:
        assert (found.request_id, found.charge) == ("job-1", Charge.ACCEPTED), row
        assert str(found).endswith("Request id: job-1."), row
    else:
        unclear = call == "submit" and not found.not_accepted
        assert found.charge is (Charge.UNKNOWN if unclear else Charge.NOTHING), row
    assert (found.advice == Text("lookFirst")) == (found.charge is Charge.UNKNOWN), row
    assert found.advice, row
    assert str(found).isprintable(), row
    assert len(str(found)) < 600, row
    # By these beginnings, ComfyUI's own page asks for a sign-in or a top-up of another account.
    assert not str(found).startswith(("Unauthorized: Please login first", "Payment Required")), row
    return found


def kind_of(found: RunComfyError) -> Kind:
    return type(found), key_of(found)


def test_what_each_call_sends_and_gives() -> None:
    body = {"text": "A boat", "resolution": "720p", "ratio": "1:1", "duration": 2, "seed": 7}
    job = "/v1/requests/job-1"
    rows: dict[str, tuple[object, tuple[str, str, object], object]] = {
        "submit": ({"request_id": "job-1"}, ("POST", MODEL, body), "job-1"),
        "status": ({"status": "in_queue"}, ("GET", f"{job}/status", None), JobState.QUEUED),
        "result": ({"status": "succeeded"}, ("GET", f"{job}/result?include_cost=true", None), JobState.SUCCEEDED),
        "cancel": ({"outcome": "canceled"}, ("POST", f"{job}/cancel", None), True),
        "model": ({"base_price_usd": 0.02}, ("GET", MODEL, None), None),
    }
    for call, (answer, sent, given) in rows.items():
        client = answered(answer)
        found = CALLS[call](client)
        assert getattr(found, "state", found if given else None) == given, call
        assert isinstance(client.transport, Wire)
        (request,) = client.transport.sent
        assert (request.method, request.path, request.body) == sent, call


def test_an_unclear_submit_sends_the_user_to_look_before_running_again() -> None:
    no_ids: list[object] = [{"status": "in_queue"}, {}, [], GATEWAY, b""]
    no_ids += [{"request_id": value} for value in ("", "../x", "a/b", "x" * 129, None, 5, ["a"])]
    assert {type(error("submit", body)) for body in no_ids} == {InvalidResponse}
    rows: list[tuple[object, int]] = [
        *((GATEWAY, status) for status in (408, 409, 425, 499, 500, 502, 503, 504)),
        *((body, 200) for body in no_ids),
        *(({"error_code": code}, 200) for code in (None, 0, "", 500001, 503000, 408000, 409001)),
        ({"error_code": 400002}, 500),
        ({"request_id": "job-1"}, 302),
    ]
    for found in (errors.ReadError("time-out"), *(error("submit", *row) for row in rows)):
        assert (found.not_accepted, found.charge) == (False, Charge.UNKNOWN), found
        assert "Generations page" in found.advice


def test_a_refused_submit_was_not_charged() -> None:
    refused = (400, 401, 402, 403, 404, 405, 407, 410, 413, 418, 422, 429, 431, 451)
    bodies: tuple[object, ...] = (GATEWAY, b"", {"message": "No"}, {"error_code": 404001})
    found = [error("submit", body, status) for status, body in product(refused, bodies)]
    for each in (errors.ConnectError("no connection"), *found):
        assert (each.not_accepted, each.charge) == (True, Charge.NOTHING), each


def test_a_submit_that_is_refused_inside_a_success_is_refused_for_the_reason_that_stands_in_it() -> None:
    others: dict[object, Kind] = {
        **dict.fromkeys((400003, 422001, 7, "NoFunds"), (errors.RejectedError, "inputRejected")),
        410000: (errors.RejectedError, "rejected"),
        429001: (errors.RateLimited, "rateLimited"),
    }
    for code, kind in (CODES | others).items():
        body = {"error_code": code, "error_message": "the reason"}
        found = error("submit", body)
        assert (kind_of(found), found.not_accepted) == (kind, True), code
        assert "the reason" in str(found) or kind[0] is errors.RateLimited, code
        assert answered(body | {"request_id": "job-1"}).submit(REQUEST) == "job-1", "an id counts all the same"


def test_a_read_or_cancel_is_refused_by_runcomfys_own_codes_whatever_the_http_status() -> None:
    for call, (code, kind) in product(ABOUT_A_JOB, CODES.items()):
        for status in (200, 400, 401, 403, 404):
            found = error(call, {"error_code": code, "error_message": "the reason"}, status)
            assert kind_of(found) == kind, (call, code, status)
            assert "the reason" in str(found), (call, code, status)
    # Whether the job may be seen is never how it ended.
    words = ("failed", "error", "completed", "in_progress")
    for call, code, word in product(ABOUT_A_JOB, (400004, 403001, 404001), words):
        assert kind_of(error(call, {"error_code": code, "status": word})) == CODES[code], (call, code, word)


def test_a_gateways_page_ends_no_paid_job() -> None:
    bodies: list[object] = [GATEWAY, b"", {"message": "No"}, {"code": 1}, [404001], {"message": "404001"}]
    refusals = [*product((401, 403, 404), bodies), *product((400, 402, 405, 407, 418, 422, 431), [GATEWAY])]
    for call, (status, body) in product(ABOUT_A_JOB, refusals):
        found = error(call, body, status)
        assert kind_of(found) == (errors.TransientError, "gatewayError"), (call, status, body)
        assert str(status) in found.message, (call, status, body)
    gave_up: list[tuple[object, int]] = [(GATEWAY, status) for status in (408, 409, 425, 499, 502)]
    gave_up += [({"error_code": code, "status": "error"}, 200) for code in (500001, 503001)]
    for call, row in product(ABOUT_A_JOB, gave_up):
        assert kind_of(error(call, *row)) == (errors.TransientError, "serverError"), (call, row)


def test_a_token_that_is_checked_by_asking_for_the_model_is_refused_by_the_status_alone() -> None:
    assert type(error("model", GATEWAY, 401)) is errors.RejectedError
    assert type(error("model", {"error_code": 400004})) is errors.RejectedError
    assert type(error("model", GATEWAY, 502)) is errors.TransientError


def test_an_answer_about_another_job_is_none() -> None:
    rest = {"status": "completed", "outcome": "cancelled"}
    for call, other in product(ABOUT_A_JOB, ("job-2", "JOB-1", "")):
        found = error(call, {"request_id": other} | rest)
        assert isinstance(found, InvalidResponse), (call, other)
        assert "another job" in found.message, (call, other)
    for call, same in product(ABOUT_A_JOB, ("job-1", None, 7)):
        CALLS[call](answered({"request_id": same} | rest))


def test_what_was_asked_for_and_the_tokens_source_are_named() -> None:
    assert "seedance-1-0" in str(error("submit", {"code": 400001}, 400))
    assert "seedance-1-0" in str(error("model", {"code": 400001}, 400))
    assert "'job-1'" in str(error("status", {"code": 400001}, 400))
    for code in (400004, 403001):
        assert "THE_SOURCE" in str(error("status", {"code": code}, 401))


def test_the_services_own_words_are_quoted_under_any_name_as_one_short_line() -> None:
    for words, status, call in product(
        ("x" * 5000, "two\nlines\r\n and\ttabs", "expired."), (400, 401, 402, 403, 404, 410, 503), ("submit", "status")
    ):
        assert error(call, {"message": words}, status).message.count('"') == 2, (words, status, call)
    assert '"' not in error("submit", {"message": "   "}, 422).message
    bodies: list[object] = [
        *({name: "the reason"} for name in ("error_message", "message", "error", "detail")),
        {"error": {"message": "the reason"}},
        {"error": {"code": 1, "detail": "the reason"}},
        {"detail": {"message": "the reason"}},
        {"detail": [{"loc": ["body", "duration"], "msg": "the reason"}]},
        {"error_message": None, "message": "", "error": "the reason", "detail": "a zebra"},
        {"error_message": "the reason", "message": "a zebra", "error": "a zebra", "detail": "a zebra"},
    ]
    for body, status, call in product(bodies, (400, 401, 402, 403, 404, 409, 422, 500, 503), ("model", "status")):
        text = str(error(call, body, status))
        assert "the reason" in text, (body, status)
        assert "zebra" not in text, (body, status)


def test_how_long_the_service_asks_to_wait() -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    for told, seconds in (("3", 3.0), ("0.5", 0.5), ("", None), (date, None), ("-5", None), ("inf", None)):
        for status, kind in ((429, errors.RateLimited), (503, errors.TransientError)):
            found = error("model", {}, status, {"retry-after": told})
            assert (type(found), found.retry_after) == (kind, seconds), told
