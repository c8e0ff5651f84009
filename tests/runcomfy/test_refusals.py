"""Which error each answer is that is no success, and that the service's own reason reaches the user."""

from __future__ import annotations

import json

import pytest

from nodes.runcomfy.errors import (
    AuthenticationError,
    InsufficientFunds,
    InvalidIdentifier,
    InvalidResponse,
    NotFound,
    PermissionDenied,
    RateLimited,
    RejectedError,
    RunComfyError,
    ServerError,
    ValidationError,
)
from nodes.runcomfy.responses import (
    error_from,
)
from nodes.runcomfy.transport import ApiResponse


def problem(status: int, body: object = None, **headers: str) -> RunComfyError | None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_from(ApiResponse(status, headers, data), "the-subject", "THE_SOURCE")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success_is_no_error(status: int) -> None:
    assert problem(status, b"") is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error_code": 400001}, InvalidIdentifier),
        (400, {"code": "400001"}, InvalidIdentifier),
        (400, {"error": {"code": 400001}}, InvalidIdentifier),
        (400, {"error_code": 400002}, InsufficientFunds),
        (402, None, InsufficientFunds),
        (400, {"error_code": 400004}, AuthenticationError),
        (401, None, AuthenticationError),
        (403, {"code": 403001}, PermissionDenied),
        (403, b"<html>", PermissionDenied),
        (404, {"code": 404001}, NotFound),
        (404, b"", NotFound),
        (400, {"detail": "bad"}, ValidationError),
        (422, {"detail": []}, ValidationError),
        (400, b"<html>", ValidationError),
        (408, None, ServerError),
        (429, {"code": 400001}, RateLimited),
        (500, {"code": 400001}, ServerError),
        (502, b"<html>Bad gateway</html>", ServerError),
        (503, b"", ServerError),
        (504, b'{"detail', ServerError),
        (599, [], ServerError),
        (300, None, InvalidResponse),
        (304, b"", InvalidResponse),
        (409, {"message": "No"}, RejectedError),
        (405, b"", RejectedError),
        (418, {"code": [1]}, RejectedError),
    ],
)
def test_which_error_an_answer_is(status: int, body: object, kind: type[RunComfyError]) -> None:
    assert type(problem(status, body)) is kind


@pytest.mark.parametrize(
    "body",
    [
        {"message": "the reason"},
        {"detail": "the reason"},
        {"error": "the reason"},
        {"error": {"message": "the reason"}},
        {"error": {"code": 1, "detail": "the reason"}},
        {"detail": {"message": "the reason"}},
        {"detail": [{"msg": "the reason"}]},
        {"message": "", "detail": None, "error": "the reason"},
    ],
)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 500, 503])
def test_the_services_reason_reaches_the_user_under_any_name(status: int, body: object) -> None:
    assert "the reason" in str(problem(status, body))


@pytest.mark.parametrize(
    ("body", "definite"),
    [
        ({"code": 404001}, True),
        ({"error": {"code": "404001"}}, True),
        ({"code": 400001}, False),
        ({"message": "404001"}, False),
        ([404001], False),
        (b"<html>404 Not Found</html>", False),
        (b"", False),
    ],
)
def test_whether_it_is_the_service_that_does_not_have_it(body: object, definite: bool) -> None:
    error = problem(404, body)
    assert isinstance(error, NotFound)
    assert error.definite is definite


def test_a_rejected_field_is_named_with_its_reason() -> None:
    detail = [{"loc": ["body", "duration"], "msg": "must be at most 12"}, {"loc": ["body", "seed", 0], "msg": "no"}]
    assert "duration: must be at most 12; seed.0: no" in str(problem(422, {"detail": detail}))


def test_what_was_asked_for_and_the_tokens_source_are_named() -> None:
    assert "the-subject" in str(problem(400, {"code": 400001}))
    assert "THE_SOURCE" in str(problem(401))
    assert "THE_SOURCE" in str(problem(403))


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-5", None), ("inf", None)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_how_long_the_service_asks_to_wait(status: int, told: str, seconds: float | None) -> None:
    error = error_from(ApiResponse(status, {"retry-after": told}, b""), "the-subject", "THE_SOURCE")
    assert isinstance(error, RateLimited | ServerError)
    assert error.retry_after == seconds
