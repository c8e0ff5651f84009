"""Every shape in which the service may answer, and what it means."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from nodes.errors import Charge
from nodes.runcomfy.errors import InvalidResponse, RateLimited, RunComfyError, ServerError, Subject
from nodes.runcomfy.responses import (
    ApiResponse,
    CancelOutcome,
    JobResult,
    JobState,
    JobStatus,
    ModelInfo,
    read_cancel,
    read_model,
    read_result,
    read_status,
    read_submission,
)

READERS: list[Callable[[ApiResponse, Subject], object]] = [
    *(read_submission, read_status, read_result, read_cancel, read_model)
]
JOB = Subject("job-1", "job-1", Charge.ACCEPTED, token_source="THE_SOURCE")
MODEL = Subject("some/model")
LINK = "https://videos.example/a.mp4"
OTHER = "https://videos.example/b.mp4"


def ok(value: object) -> ApiResponse:
    return ApiResponse(200, {}, json.dumps(value).encode())


def status_of(**body: object) -> JobStatus:
    return read_status(ok(body), JOB)


def result_of(**body: object) -> JobResult:
    return read_result(ok({"status": "succeeded"} | body), JOB)


def test_a_submission_gives_its_request_id() -> None:
    assert read_submission(ok({"request_id": "job-1", "status_url": "https://evil.example"}), MODEL) == "job-1"
    values: list[object] = ["", "../x", "a/b", "x" * 129, None, 5, ["a"]]
    for value in values:
        with pytest.raises(InvalidResponse):
            pytest.fail(f"{value} gave {read_submission(ok({'request_id': value}), MODEL)}")


def test_the_words_of_both_calls() -> None:
    rows = {
        "in_queue": (JobState.QUEUED, JobState.QUEUED),
        **dict.fromkeys(
            ("in_progress", "pending", "waiting", "starting", "processing"), (JobState.RUNNING, JobState.RUNNING)
        ),
        # The status call's `completed` is not a success: it only says that the result is there.
        **dict.fromkeys(("completed", "succeeded"), (JobState.ENDED, JobState.SUCCEEDED)),
        **dict.fromkeys(("failed", "error"), (JobState.ENDED, JobState.FAILED)),
        **dict.fromkeys(("cancelled", "canceled"), (JobState.CANCELLED, JobState.CANCELLED)),
        "pondering": (JobState.UNKNOWN, JobState.UNKNOWN),
    }
    for word, (status, result) in rows.items():
        for spelt in (word, word.upper()):
            assert status_of(status=spelt) == JobStatus(status, word)
            assert result_of(status=spelt) == JobResult(result, word)


def test_completed_with_an_error_and_without_a_video_is_a_failure() -> None:
    assert result_of(status="completed", error="Bad prompt").state is JobState.FAILED
    assert result_of(status="completed", error_code=400003, error_message="Bad").reason == "Bad"
    assert result_of(status="completed", error="", output=LINK).state is JobState.SUCCEEDED


def test_without_a_status_word_there_is_no_answer() -> None:
    values: list[object] = [None, "", 5, True, [], {}, ["completed"], "\ud800"]
    for read in (read_status, read_result):
        for value in values:
            with pytest.raises(InvalidResponse, match="status"):
                read(ok({"status": value}), JOB)
    word = status_of(status="odd\x1b[31m\n\ud800" + "x" * 1000).raw_status
    assert word.isprintable()
    assert len(word) <= 60


def test_places_in_the_queue_costs_and_prices() -> None:
    for told, position in ((0, 0), (3, 3), ("2", 2)):
        assert status_of(status="in_queue", queue_position=told).queue_position == position
    others: list[object] = [None, -1, True, 1.5, "many", [], {}, "²", "one", 10**9, 10**300, "9" * 10]
    for other in others:
        assert status_of(status="in_queue", queue_position=other).queue_position is None, other
    for price, cost in ((0.03, 0.03), ("0.03", 0.03), (0, 0.0)):
        assert result_of(cost=price).cost == cost
    others = [None, True, -1, "NaN", "inf", "free", {}, 10**400]
    for other in others:
        assert result_of(cost=other).cost is None, other
    assert read_model(ok({"base_price_usd": 0.02, "price_unit": "second"}), MODEL) == ModelInfo(0.02, "second")
    assert read_model(ok({"base_price_usd": "?", "price_unit": 5}), MODEL) == ModelInfo()


def test_every_shape_of_output() -> None:
    rows: list[tuple[object, tuple[str, ...]]] = [
        ({"video": LINK}, (LINK,)),
        ({"videos": [LINK, OTHER]}, (LINK, OTHER)),
        ({"video": LINK, "videos": [LINK, OTHER]}, (LINK, OTHER)),
        ({"video": {"url": LINK}}, (LINK,)),
        ({"videos": [{"url": LINK}, {"url": OTHER}]}, (LINK, OTHER)),
        ({"url": LINK}, (LINK,)),
        (LINK, (LINK,)),
        ([LINK, OTHER], (LINK, OTHER)),
        ([{"video": LINK}], (LINK,)),
        ({"image": "https://videos.example/a.png", "images": ["https://videos.example/b.png"]}, ()),
        ({"video": None, "videos": None}, ()),
        ({"video": "", "videos": ["", LINK]}, (LINK,)),
        ({"videos": [5, True, LINK]}, (LINK,)),
        *(({}, ()), ([], ()), ("", ()), (None, ()), (5, ())),
    ]
    for output, videos in rows:
        assert result_of(output=output).videos == videos, output


def test_the_reason_of_a_failure() -> None:
    rows: list[tuple[object, str]] = [
        ("Bad prompt", "Bad prompt"),
        ({"message": "Bad prompt"}, "Bad prompt"),
        (
            {"detail": [{"loc": ["body", "text"], "msg": "odd"}, {"loc": ["seed", 0], "msg": "no"}]},
            "text: odd; seed.0: no",
        ),
        (["one", "two"], "one; two"),
        ("tab\there \x1b[31m\ud800", "tab here  [31m"),
        (None, ""),
        (5, ""),
        ("x" * 5000, "x" * 500),
    ]
    for error, reason in rows:
        assert result_of(status="failed", error=error).reason == reason, error
    assert result_of(status="failed", error_code=400003, error_message="Bad prompt").reason == "Bad prompt"


def test_what_a_cancel_did_is_told_by_its_outcome_alone() -> None:
    for word, outcome in (
        ("cancelled", CancelOutcome.CANCELLED),
        ("canceled", CancelOutcome.CANCELLED),
        ("not_cancellable", CancelOutcome.NOT_CANCELLABLE),
    ):
        for status in ("completed", "in_queue", "cancelled", "error", None):
            body = json.dumps({"outcome": word, "status": status}).encode()
            assert read_cancel(ApiResponse(202, {}, body), JOB) is outcome, (word, status)
    values: list[object] = [None, "", "maybe", ["cancelled"], {}, True]
    for value in values:
        with pytest.raises(InvalidResponse):
            read_cancel(ok({"outcome": value, "status": "cancelled"}), JOB)


def test_a_success_that_is_no_json_object_is_unreadable() -> None:
    for body in (b"", b"<html>Busy</html>", b'{"status": "compl', b"[]", b'"completed"', b"null", b"\xff\xfe", b"1"):
        for read in READERS:
            with pytest.raises(InvalidResponse):
                read(ApiResponse(200, {}, body), JOB)


def error_of(status: int, body: object, headers: dict[str, str] | None = None, about: Subject = MODEL) -> RunComfyError:
    with pytest.raises(RunComfyError) as raised:
        read_model(ApiResponse(status, headers or {}, json.dumps(body).encode()), about)
    return raised.value


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
            for about in (JOB, MODEL):
                text = str(error_of(status, body, about=about))
                assert "the reason" in text, (body, status)
                assert "zebra" not in text, (body, status)


def test_how_long_the_service_asks_to_wait() -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    for told, seconds in (("3", 3.0), ("0.5", 0.5), ("", None), (date, None), ("-5", None), ("inf", None)):
        for status, kind in ((429, RateLimited), (503, ServerError)):
            error = error_of(status, {}, {"retry-after": told})
            assert (type(error), error.retry_after) == (kind, seconds), told
