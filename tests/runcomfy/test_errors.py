"""What each error tells the user, and which of them prove that no job was created."""

from __future__ import annotations

import pytest

from nodes.runcomfy import errors
from nodes.runcomfy.errors import (
    AuthenticationError,
    Charge,
    ConnectError,
    InsufficientFunds,
    InvalidIdentifier,
    InvalidOrigin,
    InvalidRequest,
    InvalidResponse,
    MissingToken,
    NotFound,
    PermissionDenied,
    RateLimited,
    ReadError,
    RejectedError,
    RunComfyError,
    ServerError,
    TransientError,
    ValidationError,
)

ALL = [
    InvalidRequest("seed is -1."),
    MissingToken("No token is set.", "Set one."),
    InvalidOrigin("This is no origin.", "Correct it."),
    ConnectError("no connection"),
    ReadError("time-out"),
    RateLimited(3.0),
    ServerError(503, "Busy."),
    InvalidResponse("it is not a JSON object"),
    RejectedError("RunComfy refused the call with HTTP 409.", "Run again later."),
    InvalidIdentifier("some/model", "no such model"),
    ValidationError("duration: too long"),
    AuthenticationError("RUNCOMFY_TOKEN", "expired"),
    InsufficientFunds("no balance"),
    PermissionDenied("RUNCOMFY_TOKEN", "not yours"),
    NotFound("gone"),
]
by_name = pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)


def test_every_error_is_listed_here() -> None:
    classes = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RunComfyError)}
    assert {type(error) for error in ALL} == classes - {RunComfyError, TransientError}


@by_name
def test_a_message_says_what_happened_what_it_cost_and_what_to_do(error: RunComfyError) -> None:
    assert error.message
    assert error.advice
    assert str(error) == f"{error.message} {error.charge.value} {error.advice}"


def test_about_a_job_it_names_the_job_and_that_it_may_cost() -> None:
    error = ReadError("time-out")
    error.about("job-1")
    assert error.request_id == "job-1"
    assert str(error).endswith("Request id: job-1.")
    assert Charge.ACCEPTED.value in str(error)


@by_name
def test_no_message_makes_the_frontend_ask_for_a_sign_in_or_a_top_up(error: RunComfyError) -> None:
    assert not str(error).startswith(("Unauthorized: Please login first", "Payment Required"))


@by_name
def test_only_an_unclear_ending_leaves_open_whether_a_job_was_created(error: RunComfyError) -> None:
    unclear = isinstance(error, ReadError | ServerError | InvalidResponse)
    assert error.not_accepted is not unclear
    assert (error.charge is Charge.UNKNOWN) is unclear


@pytest.mark.parametrize("error", ALL[-3:-1] + ALL[-5:-3], ids=lambda error: type(error).__name__)
def test_the_services_own_words_are_quoted(error: RunComfyError) -> None:
    assert error.message.count('"') == 2


@pytest.mark.parametrize("message", ["x" * 5000, "two\nlines\r\n and\ttabs", "   "])
def test_the_services_words_stay_one_short_line(message: str) -> None:
    text = str(ValidationError(message))
    assert len(text) < 500
    assert text.splitlines() == [text]
