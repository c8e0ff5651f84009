"""No answer at all, however wrong, breaks the reader: it gives a value or one of our errors."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.runcomfy.errors import (
    RunComfyError,
    ValidationError,
)
from nodes.runcomfy.responses import (
    error_from,
    read_cancel,
    read_model,
    read_result,
    read_status,
    read_submission,
)
from nodes.runcomfy.transport import ApiResponse

READERS: list[Callable[[ApiResponse], object]] = [read_submission, read_status, read_result, read_cancel, read_model]


def nested(depth: int, begin: str, end: str) -> bytes:
    return ('{"status": "failed", "error": %s, "output": %s}' % ((begin * depth + end * depth,) * 2)).encode()


@pytest.mark.parametrize("depth", [10, 300, 480, 900, 5000, 100_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"url":', "1}"), ('{"message":', "1}")])
def test_nesting_however_deep_breaks_nothing(depth: int, begin: str, end: str) -> None:
    body = nested(depth, begin, end)
    assert isinstance(error_from(ApiResponse(400, {}, body), "the-subject", "THE_SOURCE"), ValidationError)
    never_breaks(read_result, ApiResponse(200, {}, body))


def never_breaks(read: Callable[[ApiResponse], object], reply: ApiResponse) -> None:
    try:
        read(reply)
    except RunComfyError as error:
        str(error).encode()


WORDS = st.sampled_from(
    (
        *("status", "completed", "failed", "output", "video", "videos", "url", "error", "code", "detail", "loc", "msg"),
        *("request_id", "queue_position", "cost", "outcome", "cancelled", "message", "body", "base_price_usd"),
    )
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=6),
    max_leaves=20,
)


@given(body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()), status=st.integers(100, 999))
def test_any_bytes_and_any_json_give_a_value_or_our_error(body: bytes, status: int) -> None:
    for read in READERS:
        never_breaks(read, ApiResponse(200, {}, body))
    error = error_from(ApiResponse(status, {"retry-after": "soon"}, body), "the-subject", "THE_SOURCE")
    assert (error is None) is (200 <= status < 300)
    str(error).encode()
