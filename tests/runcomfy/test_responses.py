"""Every shape in which the service may answer, and what it means."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from nodes.runcomfy.errors import (
    InvalidResponse,
)
from nodes.runcomfy.responses import (
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
from nodes.runcomfy.transport import ApiResponse

READERS: list[Callable[[ApiResponse], object]] = [read_submission, read_status, read_result, read_cancel, read_model]
LINK = "https://videos.example/a.mp4"
OTHER = "https://videos.example/b.mp4"


def ok(value: object) -> ApiResponse:
    return ApiResponse(200, {}, json.dumps(value).encode())


def test_a_submission_gives_its_request_id() -> None:
    assert read_submission(ok({"request_id": "job-1", "status_url": "https://evil.example"})) == "job-1"


@pytest.mark.parametrize("value", ["", "../x", "a/b", "x" * 129, None, 5, ["a"]])
def test_what_is_no_request_id_is_not_used_as_one(value: object) -> None:
    with pytest.raises(InvalidResponse):
        read_submission(ok({"request_id": value}))


@pytest.mark.parametrize(
    ("word", "status", "result"),
    [
        ("in_queue", JobState.QUEUED, JobState.QUEUED),
        ("in_progress", JobState.RUNNING, JobState.RUNNING),
        # The status call's `completed` is not a success: it only says that the result is there.
        ("completed", JobState.ENDED, JobState.SUCCEEDED),
        ("succeeded", JobState.ENDED, JobState.SUCCEEDED),
        ("failed", JobState.ENDED, JobState.FAILED),
        ("error", JobState.ENDED, JobState.FAILED),
        ("cancelled", JobState.CANCELLED, JobState.CANCELLED),
        ("canceled", JobState.CANCELLED, JobState.CANCELLED),
        ("starting", JobState.UNKNOWN, JobState.UNKNOWN),
    ],
)
@pytest.mark.parametrize("spell", [str, str.upper])
def test_the_words_of_both_calls(word: str, status: JobState, result: JobState, spell: Callable[[str], str]) -> None:
    assert read_status(ok({"status": spell(word)})) == JobStatus(status, word)
    assert read_result(ok({"status": spell(word)})) == JobResult(result, word)


def test_completed_with_an_error_and_without_a_video_is_a_failure() -> None:
    assert read_result(ok({"status": "completed", "error": "Bad prompt"})).state is JobState.FAILED
    assert read_result(ok({"status": "completed", "error": "", "output": LINK})).state is JobState.SUCCEEDED


@pytest.mark.parametrize("value", [None, "", 5, True, [], {}, ["completed"], "\ud800"])
@pytest.mark.parametrize("read", [read_status, read_result])
def test_without_a_status_word_there_is_no_answer(read: Callable[[ApiResponse], object], value: object) -> None:
    with pytest.raises(InvalidResponse, match="status"):
        read(ok({"status": value}))


def test_a_word_is_fit_to_be_shown() -> None:
    word = read_status(ok({"status": "odd\x1b[31m\n\ud800" + "x" * 1000})).raw_status
    assert word.isprintable()
    assert len(word) <= 60


@pytest.mark.parametrize(
    ("told", "position"),
    [
        (0, 0),
        (3, 3),
        ("2", 2),
        (None, None),
        (-1, None),
        (True, None),
        (1.5, None),
        ("many", None),
        ([], None),
        ("²", None),
    ],
)
def test_the_place_in_the_queue(told: object, position: int | None) -> None:
    assert read_status(ok({"status": "in_queue", "queue_position": told})).queue_position == position


@pytest.mark.parametrize(
    ("output", "videos"),
    [
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
        ({}, ()),
        ([], ()),
        ("", ()),
        (None, ()),
        (5, ()),
    ],
)
def test_every_shape_of_output(output: object, videos: tuple[str, ...]) -> None:
    assert read_result(ok({"status": "succeeded", "output": output})).videos == videos


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("Bad prompt", "Bad prompt"),
        ({"message": "Bad prompt"}, "Bad prompt"),
        ({"detail": [{"loc": ["body", "text"], "msg": "too odd"}]}, "text: too odd"),
        (["one", "two"], "one; two"),
        ("tab\there \x1b[31m\ud800", "tab here  [31m"),
        (None, ""),
        (5, ""),
        ("x" * 5000, "x" * 500),
    ],
)
def test_the_reason_of_a_failure(error: object, reason: str) -> None:
    assert read_result(ok({"status": "failed", "error": error})).reason == reason


@pytest.mark.parametrize(
    ("told", "cost"),
    [
        (0.03, 0.03),
        ("0.03", 0.03),
        (0, 0.0),
        (None, None),
        (True, None),
        (-1, None),
        ("NaN", None),
        ("inf", None),
        ("free", None),
        ({}, None),
        (10**400, None),
    ],
)
def test_what_it_cost(told: object, cost: float | None) -> None:
    assert read_result(ok({"status": "succeeded", "cost": told})).cost == cost


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("cancelled", CancelOutcome.CANCELLED),
        ("canceled", CancelOutcome.CANCELLED),
        ("not_cancellable", CancelOutcome.NOT_CANCELLABLE),
    ],
)
def test_what_a_cancel_did(word: str, outcome: CancelOutcome) -> None:
    assert read_cancel(ApiResponse(202, {}, json.dumps({"outcome": word}).encode())) is outcome


@pytest.mark.parametrize("word", [None, "", "maybe", ["cancelled"], {}, True])
def test_a_cancel_that_does_not_say_what_it_did(word: object) -> None:
    with pytest.raises(InvalidResponse):
        read_cancel(ok({"outcome": word}))


def test_the_price_as_far_as_it_is_told() -> None:
    assert read_model(ok({"base_price_usd": 0.02, "price_unit": "second"})) == ModelInfo(0.02, "second")
    assert read_model(ok({"base_price_usd": "?", "price_unit": 5})) == ModelInfo()


@pytest.mark.parametrize(
    "body", [b"", b"<html>Busy</html>", b'{"status": "compl', b"[]", b'"completed"', b"null", b"\xff\xfe", b"1"]
)
@pytest.mark.parametrize("read", READERS)
def test_a_success_that_is_no_json_object_is_unreadable(read: Callable[[ApiResponse], object], body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        read(ApiResponse(200, {}, body))
