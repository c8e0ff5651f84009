"""A service, or something in front of it, that wants the token shown, kept, or sent elsewhere; or to keep us busy."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.runcomfy.client import MAX_RESPONSE_SIZE, HttpTransport, RunComfy
from nodes.runcomfy.errors import ConnectError, RunComfyError
from nodes.runcomfy.responses import ApiResponse
from nodes.runcomfy.token import MIN_REDACTED_LENGTH, Token
from tests.support.calls import BOTH, CALLS, GET, POST, SECRET, TOKEN, transport
from tests.support.loopback_server import CHUNKED, Loopback, always, breaking_off, reply

SPELLINGS = {
    "plain": SECRET,
    "slashes escaped": SECRET.replace("/", r"\/"),
    "all escaped": "".join(rf"\u{ord(mark):04x}" for mark in SECRET),
    "some escaped": "".join(rf"\u{ord(mark):04X}" if number % 3 else mark for number, mark in enumerate(SECRET)),
}


def everything(error: RunComfyError) -> str:
    """The text of whatever hangs on an error: arguments, attributes, errors in front of it and all variables."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join([repr(error.args), repr(vars(error)), *shown.format()])


def shown_by(call: Callable[[RunComfy], object], client: RunComfy) -> str:
    """All that a call gives or raises."""
    try:
        return repr(call(client))
    except RunComfyError as error:
        return everything(error)


def test_a_token_that_the_service_quotes_is_shown_nowhere(server: Loopback) -> None:
    client = RunComfy(transport(server), TOKEN.source)
    for (how, spelling), status in product(SPELLINGS.items(), (200, 400, 401, 402, 403, 404, 418, 422, 429, 500)):
        quoted = f"the header was 'Bearer {spelling}'"
        body = f'{{"message": "{quoted}", "status": "{quoted}", "request_id": "{spelling}", "error": "{quoted}", '
        body += f'"output": {{"video": "https://videos.example/?key={spelling}"}}, "outcome": "{spelling}"}}'
        server.answer = always(reply(status, body.encode(), {"X-Echo": SECRET, "Retry-After": SECRET}))
        for call in CALLS.values():
            assert SECRET[:10] not in shown_by(call, client), (how, status)
        found = repr(client.transport.send(GET))
        assert SECRET not in found, (how, status)
        assert "[token]" in found


def test_nor_in_an_encoding_in_which_it_would_not_be_found(server: Loopback) -> None:
    client = RunComfy(transport(server), TOKEN.source)
    words = dict.fromkeys(("message", "status", "request_id", "error", "outcome"), f"you sent {SECRET}")
    encodings = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
    for encoding, status, call in product(encodings, (200, 401, 422, 500), ("submit", "status")):
        server.answer = always(reply(status, json.dumps(words).encode(encoding)))
        assert SECRET[:10] not in shown_by(CALLS[call], client), (encoding, status)
    # But a mark of UTF-8 is no part of the answer.
    server.answer = always(reply(200, json.dumps({"status": "in_queue"}).encode("utf-8-sig")))
    assert client.status("job-1").raw_status == "in_queue"


@given(
    token=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=MIN_REDACTED_LENGTH),
    around=st.text(),
    escaped=st.sets(st.integers(0, 200)),
)
def test_it_is_found_in_any_json_text(token: str, around: str, escaped: set[int]) -> None:
    spelt = "".join(
        rf"\u{ord(mark):04x}" if number in escaped else json.dumps(mark)[1:-1] for number, mark in enumerate(token)
    )
    content = f'["{json.dumps(around)[1:-1]} {spelt}"]'.encode()
    (text,) = json.loads(Token(token, "").redact(content))
    assert token not in text or token in around


def test_a_short_word_is_not_torn_out_of_every_answer() -> None:
    assert Token("s", "").redact(b"status") == b"status"
    assert TOKEN.redact(b"nothing here") == b"nothing here"


def test_nothing_that_holds_a_header_hangs_on_an_error(server: Loopback) -> None:
    """What `requests` raises holds the request; and some tools show the variables of all that a traceback went
    through."""
    answers = {
        "redirect": reply(302, headers={"Location": "/"}),
        "too long": reply(200, bytes(MAX_RESPONSE_SIZE)),
        "compressed": reply(200, b"{}", {"Content-Encoding": "br"}),
        "breaks off": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        "no HTTP": b"nonsense\r\n\r\n",
        "nothing": b"",
    }

    def refuse() -> None:
        raise RunComfyError("rejected", status=500, quoted="")

    for (what, answer), request, before in product(answers.items(), BOTH, (None, refuse)):
        server.answer = breaking_off(answer)
        with pytest.raises(RunComfyError) as raised:
            transport(server).send(replace(request, before_first_byte=before))
        error = raised.value
        assert (error.__context__, error.__cause__) == (None, None), what
        assert SECRET not in everything(error), what
        through = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        assert {frame.f_code.co_name for frame in through[1:]} == {"send"}, what
    with pytest.raises(ConnectError) as raised:
        HttpTransport(f"{server.origin}0", TOKEN).send(POST)
    assert SECRET not in everything(raised.value)


OK = b"HTTP/1.1 200 OK\r\n"
HEADS = (b"", b"HTTP/1.1 ", OK, OK + b"\r\n", CHUNKED, CHUNKED + b"-", b"HTTP/1.1 302 Found\r\nLocation: ")
RESTS = st.binary() | st.text().map(lambda text: f"Content-Encoding: gzip\r\nX: {text}\r\n\r\n{text}".encode())


@settings(max_examples=60)
@given(st.sampled_from(HEADS), RESTS)
def test_any_bytes_are_an_answer_or_one_of_our_errors(head: bytes, rest: bytes) -> None:
    with Loopback(breaking_off(head + rest)) as server:
        try:
            assert isinstance(transport(server).send(POST), ApiResponse)
        except RunComfyError as error:
            str(error).encode()
