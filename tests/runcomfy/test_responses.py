"""Every shape in which the service may answer, and what it means."""

from __future__ import annotations

from nodes.runcomfy.errors import InvalidResponse
from nodes.runcomfy.responses import CancelOutcome, JobResult, JobState, JobStatus, ModelInfo
from tests.support.calls import CALLS, answered, error_of

LINK = "https://videos.example/a.mp4"
OTHER = "https://videos.example/b.mp4"


def status_of(**body: object) -> JobStatus:
    return answered(body).status("job-1")


def result_of(**body: object) -> JobResult:
    return answered({"status": "succeeded"} | body).result("job-1")


def test_the_words_of_both_calls() -> None:
    running = ("in_progress", "pending", "waiting", "starting", "processing")
    rows = {
        "in_queue": (JobState.QUEUED, JobState.QUEUED),
        **dict.fromkeys(running, (JobState.RUNNING, JobState.RUNNING)),
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
    assert result_of(status="completed", error="Bad prompt").state is JobState.FAILED
    assert result_of(status="completed", error="", output=LINK).state is JobState.SUCCEEDED


def test_without_a_status_word_there_is_no_answer() -> None:
    values: list[object] = [None, "", 5, True, [], {}, ["completed"], "\ud800"]
    for call in ("status", "result"):
        for value in values:
            error = error_of(call, {"status": value})
            assert isinstance(error, InvalidResponse), (call, value)
            assert "status" in error.message, (call, value)
    word = status_of(status="odd\x1b[31m\n\ud800" + "x" * 1000).raw_status
    assert word.isprintable()
    assert len(word) <= 60


def test_places_in_the_queue_costs_and_prices() -> None:
    places: list[tuple[object, int | None]] = [(0, 0), (3, 3), ("2", 2)]
    others: list[object] = [None, -1, True, 1.5, "many", [], {}, "²", "one", 10**9, 10**300, "9" * 10]
    places += [(other, None) for other in others]
    for told, position in places:
        assert status_of(status="in_queue", queue_position=told).queue_position == position, told
    prices: list[tuple[object, float | None]] = [(0.03, 0.03), ("0.03", 0.03), (0, 0.0)]
    others = [None, True, -1, "NaN", "inf", "free", {}, 10**400]
    prices += [(other, None) for other in others]
    for told, cost in prices:
        assert result_of(cost=told).cost == cost, told
    assert answered({"base_price_usd": 0.02, "price_unit": "second"}).model_info() == ModelInfo(0.02, "second")
    assert answered({"base_price_usd": "?", "price_unit": 5}).model_info() == ModelInfo()


def test_every_shape_of_output() -> None:
    nothing: tuple[object, ...] = ({}, [], "", None, 5, {"video": None, "videos": None})
    rows: list[tuple[object, tuple[str, ...]]] = [
        *(
            (one, (LINK,))
            for one in (LINK, {"video": LINK}, {"video": {"url": LINK}}, {"url": LINK}, [{"video": LINK}])
        ),
        *((two, (LINK, OTHER)) for two in ([LINK, OTHER], {"videos": [LINK, OTHER]})),
        ({"video": LINK, "videos": [LINK, OTHER]}, (LINK, OTHER)),
        ({"videos": [{"url": LINK}, {"url": OTHER}]}, (LINK, OTHER)),
        ({"video": "", "videos": ["", LINK]}, (LINK,)),
        ({"videos": [5, True, LINK]}, (LINK,)),
        ({"image": "https://videos.example/a.png", "images": ["https://videos.example/b.png"]}, ()),
        *((each, ()) for each in nothing),
    ]
    for output, videos in rows:
        assert result_of(output=output).videos == videos, output


def test_the_reason_of_a_failure() -> None:
    fields = [{"loc": ["body", "text"], "msg": "odd"}, {"loc": ["seed", 0], "msg": "no"}]
    rows: list[tuple[object, str]] = [
        ("Bad prompt", "Bad prompt"),
        ({"message": "Bad prompt"}, "Bad prompt"),
        ({"detail": fields}, "text: odd; seed.0: no"),
        (["one", "two"], "one; two"),
        ("tab\there \x1b[31m\ud800", "tab here  [31m"),
        (None, ""),
        (5, ""),
        ("x" * 5000, "x" * 500),
    ]
    for error, reason in rows:
        assert result_of(status="failed", error=error).reason == reason, error
    for status in ("failed", "completed"):
        assert result_of(status=status, error_code=400003, error_message="Bad prompt").reason == "Bad prompt"


def test_what_a_cancel_did_is_told_by_its_outcome_alone() -> None:
    cancelled, running = CancelOutcome.CANCELLED, CancelOutcome.NOT_CANCELLABLE
    for word, outcome in (("cancelled", cancelled), ("canceled", cancelled), ("not_cancellable", running)):
        for status in ("completed", "in_queue", "cancelled", "error", None):
            assert answered({"outcome": word, "status": status}, 202).cancel("job-1") is outcome, (word, status)
    values: list[object] = [None, "", "maybe", ["cancelled"], {}, True]
    for value in values:
        assert isinstance(error_of("cancel", {"outcome": value, "status": "cancelled"}), InvalidResponse), value


def test_a_success_that_is_no_json_object_is_unreadable() -> None:
    for body in (b"", b"<html>Busy</html>", b'{"status": "compl', b"[]", b'"completed"', b"null", b"\xff\xfe", b"1"):
        for call in CALLS:
            assert isinstance(error_of(call, body), InvalidResponse), (call, body)
