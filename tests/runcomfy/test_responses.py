"""Every shape in which the service may answer, and what it means; and thousands in which it should not.

Each call ends with a typed value or a `RunComfyError`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import product
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from nodes.runcomfy.client import RunComfy
from nodes.runcomfy.errors import InvalidResponse, RunComfyError
from nodes.runcomfy.request import is_request_id
from nodes.runcomfy.responses import MAX_VIDEOS, ApiResponse, JobResult, JobState, JobStatus, ModelInfo
from tests.support.calls import CALLS, Wire, answered, error_of

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


def test_the_reason_of_a_failure_and_how_much_of_it_is_kept() -> None:
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
    words = [[["so much " * 100] * 5] * 5] * 5
    links = [f"https://videos.example/{number}.mp4" for number in range(10_000)]
    found = result_of(output={"videos": links}, error=words)
    assert (found.state, list(found.videos)) == (JobState.SUCCEEDED, links[:MAX_VIDEOS])
    assert 100 < len(found.reason) <= 500


def test_what_a_cancel_did_is_told_by_its_outcome_alone() -> None:
    for word, outcome in (("cancelled", True), ("canceled", True), ("not_cancellable", False)):
        for status in ("completed", "in_queue", "cancelled", "error", None):
            assert answered({"outcome": word, "status": status}, 202).cancel("job-1") is outcome, (word, status)
    values: list[object] = [None, "", "maybe", ["cancelled"], {}, True]
    for value in values:
        assert isinstance(error_of("cancel", {"outcome": value, "status": "cancelled"}), InvalidResponse), value


def test_a_success_that_is_no_json_object_is_unreadable() -> None:
    for body in (b"", b"<html>Busy</html>", b'{"status": "compl', b"[]", b'"completed"', b"null", b"\xff\xfe", b"1"):
        for call in CALLS:
            assert isinstance(error_of(call, body), InvalidResponse), (call, body)


SANE: dict[str, Callable[[Any], bool]] = {
    "submit": is_request_id,
    "status": lambda found: found.raw_status.isprintable() and 0 <= (found.queue_position or 0) < 10**9,
    "result": lambda found: (
        len(found.videos) <= MAX_VIDEOS
        and found.reason.isprintable()
        and len(found.reason) < 1000
        and 0 <= (found.cost or 0) < 10**9
    ),
    "cancel": lambda found: isinstance(found, bool),
    "model": lambda found: found.price_unit.isprintable() and 0 <= (found.base_price_usd or 0) < 10**9,
}
"""What the rest of the pack takes for granted of what each call gives."""
NAMES = (
    *("status", "output", "video", "videos", "url", "error", "error_code", "code", "detail", "loc", "msg", "cost"),
    *("request_id", "queue_position", "outcome", "message", "reason", "base_price_usd", "price_unit", "image"),
)
TEXTS = (
    *("completed", "COMPLETED", "succeeded", "failed", "error", "in_queue", "in_progress", "cancelled", "canceled"),
    *("not_cancellable", "https://videos.example/a.mp4", "job-1", "400001", "1e400", "NaN", "-0", "9" * 5000),
    *("<img src=x onerror=alert(1)>", "\x1b[2J\x07", "a\r\nb", "\ud800", "\u202e", "\0", "\u2028", "../../x"),
)
NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400", "-1", "1" * 4000, "9" * 5000, "0.1", "1e-400", "-0")
KEYS, WORDS = st.sampled_from(NAMES), st.sampled_from(TEXTS + NUMBERS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=7),
    max_leaves=25,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=8).map(json.dumps)
BODIES = st.one_of(
    OBJECTS.map(str.encode),
    st.tuples(OBJECTS, st.sampled_from(NUMBERS)).map(lambda two: re.sub(r'"[^"]*"(?=[,}])', two[1], two[0]).encode()),
    st.tuples(OBJECTS, st.integers(0, 200)).map(lambda cut: cut[0].encode()[: cut[1]]),
    OBJECTS.map(lambda text: text.encode("utf-16")),
    OBJECTS.map(lambda text: text.encode("utf-8-sig")),
    st.binary(),
)
HEADERS = st.dictionaries(st.sampled_from(["retry-after", "content-type", "x"]), WORDS | st.text())


@settings(max_examples=400)
@given(body=BODIES, status=st.integers(100, 999) | st.just(200), headers=HEADERS)
@example(b"[" * 100_000, 200, {})
@example(b'{"status": "failed", "error": ' + b"[" * 480 + b"]" * 480 + b"}", 400, {})
@example(b'{"status": "failed", "output": ' + b'{"url":' * 900 + b"1" + b"}" * 901, 200, {})
@example(b'{"status":' * 20_000, 200, {})
@example(b'{"status": "succeeded", "cost": %s}' % (b"9" * 400), 200, {})
@example(b'{"request_id": "job-1"}', 299, {"retry-after": "9" * 5000})
def test_every_reply_is_a_value_or_one_of_our_errors(body: bytes, status: int, headers: dict[str, str]) -> None:
    _read_by_every_call(ApiResponse(status, headers, body))


def test_every_odd_text_in_every_place_is_one_too() -> None:
    """Which the thousands above may miss."""
    for status, name, text in product((200, 400, 401, 402, 404, 409, 503), NAMES, TEXTS):
        _read_by_every_call(ApiResponse(status, {}, json.dumps({"status": "failed", name: text}).encode()))
        _read_by_every_call(ApiResponse(status, {}, json.dumps({"status": "failed", "error": {name: text}}).encode()))


def _read_by_every_call(reply: ApiResponse) -> None:
    client = RunComfy(Wire(reply), "THE_SOURCE")
    for name, call in CALLS.items():
        found: object
        try:
            found = call(client)
        except RunComfyError as error:
            found = error
        if isinstance(found, RunComfyError):  # fit for a message, a log and a terminal
            assert found.advice
            assert str(found).isprintable()
            assert 0 <= (found.retry_after or 0) <= 10**9
        else:
            assert 200 <= reply.status < 300
            assert SANE[name](found), (name, found)
