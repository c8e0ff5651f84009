"""Thousands of replies that no service should give: each call ends with a typed value or a `RunComfyError`."""

from __future__ import annotations

import json
import re
from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st

from nodes.runcomfy.client import RunComfy
from nodes.runcomfy.errors import RunComfyError
from nodes.runcomfy.request import is_request_id
from nodes.runcomfy.responses import MAX_VIDEOS, ApiResponse, CancelOutcome, JobResult, JobState, JobStatus, ModelInfo
from tests.support.calls import CALLS, Wire, answered

KINDS = {"submit": str, "status": JobStatus, "result": JobResult, "cancel": CancelOutcome, "model": ModelInfo}

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


@settings(max_examples=400, deadline=None)
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
        try:
            found = call(client)
        except RunComfyError as error:
            _presentable(error)
        else:
            assert 200 <= reply.status < 300
            assert isinstance(found, KINDS[name])
            _sane(found)


def _presentable(error: RunComfyError) -> None:
    """Fit for a message, a log and a terminal."""
    assert error.message
    assert error.advice
    assert str(error).isprintable()
    assert error.retry_after is None or 0 <= error.retry_after <= 10**9


def _sane(found: object) -> None:
    """What the rest of the pack takes for granted."""
    if isinstance(found, str):
        assert is_request_id(found)
    if isinstance(found, JobStatus):
        assert found.queue_position is None or 0 <= found.queue_position < 10**9
        assert found.raw_status.isprintable()
    if isinstance(found, JobResult):
        assert len(found.videos) <= MAX_VIDEOS
        assert found.reason.isprintable()
        assert len(found.reason) < 1000
        assert found.cost is None or 0 <= found.cost < 10**9
    if isinstance(found, ModelInfo):
        assert found.price_unit.isprintable()


def test_a_long_reason_is_cut_and_more_videos_than_a_job_can_have_are_passed_over() -> None:
    reason = [[["so much " * 100] * 5] * 5] * 5
    links = [f"https://videos.example/{number}.mp4" for number in range(10_000)]
    found = answered({"status": "succeeded", "output": {"videos": links}, "error": reason}).result("job-1")
    assert found.state is JobState.SUCCEEDED
    assert list(found.videos) == links[:MAX_VIDEOS]
    assert 100 < len(found.reason) <= 500
