"""What each error tells the user, and which of them prove that no job was created."""

from __future__ import annotations

from nodes.errors import Charge
from nodes.runcomfy import errors
from nodes.runcomfy.errors import (
    LOOK_FIRST,
    NO_CALL,
    AuthenticationError,
    ConnectError,
    GatewayError,
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
    Subject,
    TransientError,
    ValidationError,
)


def every_error(subject: Subject) -> list[RunComfyError]:
    return [
        InvalidRequest("seed is -1."),
        MissingToken("No token is set.", advice="Set one."),
        InvalidOrigin("This is no origin.", advice="Correct it."),
        ConnectError("no connection", subject),
        ReadError("time-out", subject),
        RateLimited(3.0, subject),
        ServerError("Busy.", subject, status=503),
        GatewayError("Forbidden", subject, status=403),
        InvalidResponse("it is not a JSON object", subject),
        RejectedError("gone", subject, status=410),
        InvalidIdentifier("no such model", subject),
        ValidationError("duration: too long", subject),
        AuthenticationError("expired", subject),
        InsufficientFunds("no balance", subject),
        PermissionDenied("not yours", subject),
        NotFound("gone", subject),
    ]


ALL = every_error(Subject("some/model", token_source="RUNCOMFY_TOKEN"))


def test_every_error_is_listed_here() -> None:
    classes = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RunComfyError)}
    assert {type(error) for error in ALL} == classes - {RunComfyError, TransientError}


def test_a_message_says_what_happened_what_it_cost_and_what_to_do() -> None:
    for error in ALL:
        assert error.message, error
        assert error.advice, error
        assert [error.message, error.advice] == [
            text for text in error.texts if text in (error.message, error.advice)
        ], error
        # By these beginnings, ComfyUI's own page asks for a sign-in or a top-up of another account.
        assert not str(error).startswith(("Unauthorized: Please login first", "Payment Required")), error


def test_only_an_unclear_ending_leaves_open_whether_a_job_was_created_and_sends_the_user_to_look() -> None:
    for error in ALL:
        unclear = isinstance(error, ReadError | ServerError | InvalidResponse | GatewayError)
        assert error.not_accepted is not unclear, error
        assert error.charge is (Charge.UNKNOWN if unclear else Charge.NOTHING), error
        assert (error.advice == LOOK_FIRST) is unclear, error


def test_the_services_own_words_are_quoted_as_one_short_line() -> None:
    kinds: tuple[type[RunComfyError], ...] = (ServerError, GatewayError, RejectedError, *RejectedError.__subclasses__())
    for words in ("x" * 5000, "two\nlines\r\n and\ttabs", "expired."):
        for error in (kind(words, status=503) for kind in kinds):
            assert error.message.count('"') == 2, error
            assert len(str(error)) < 600, error
            assert str(error).splitlines() == [str(error)], error
    assert '"' not in ValidationError("   ", NO_CALL).message
