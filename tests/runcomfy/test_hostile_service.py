"""A service, or something in front of it, that wants the token shown, kept, or sent elsewhere; or to keep us busy."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.runcomfy.client import RunComfy
from nodes.runcomfy.errors import InvalidResponse, RunComfyError
from nodes.runcomfy.redact import SHORTEST, redact_token
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.token import Token
from nodes.runcomfy.transport import MAX_REPLY, ApiRequest, ApiResponse, HttpTransport, Limits
from tests.support.loopback_server import DEADLINE, Hangup, Loopback, Received, always, reply

SECRET = "s3cr3t/0123456789+abc=="
TOKEN = Token(SECRET, "RUNCOMFY_API_TOKEN")
GET = ApiRequest("GET", "/v1/things")
POST = ApiRequest("POST", "/v1/things", body={"text": "a"})
BOTH = pytest.mark.parametrize("call", [GET, POST], ids=["GET", "POST"])

SPELLINGS = {
    "plain": SECRET,
    "slashes escaped": SECRET.replace("/", r"\/"),
    "all escaped": "".join(rf"\u{ord(mark):04x}" for mark in SECRET),
    "some escaped": "".join(rf"\u{ord(mark):04X}" if number % 3 else mark for number, mark in enumerate(SECRET)),
}


def transport(server: Loopback, limits: Limits | None = None) -> HttpTransport:
    return HttpTransport(server.origin, TOKEN, limits or Limits())


def everything(value: object, seen: set[int] | None = None) -> Iterator[str]:
    """The text of whatever hangs on an error: its message, arguments, attributes, and errors in front of it."""
    seen = seen if seen is not None else set()
    if id(value) in seen:
        return
    seen.add(id(value))
    yield repr(value)
    yield str(value)
    if isinstance(value, BaseException):
        for part in (value.args, value.__cause__, value.__context__):
            yield from everything(part, seen)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from everything(part, seen)
    elif hasattr(value, "__dict__"):
        yield from everything(vars(value), seen)


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 418, 422, 429, 500])
def test_a_token_that_the_service_quotes_is_shown_nowhere(server: Loopback, status: int, spelling: str) -> None:
    quoted = f"the header was 'Bearer {spelling}'"
    body = f'{{"message": "{quoted}", "status": "{quoted}", "request_id": "{spelling}", "error": "{quoted}", '
    body += f'"output": {{"video": "https://videos.example/?key={spelling}"}}, "outcome": "{spelling}"}}'
    server.answer = always(reply(status, body.encode(), {"X-Echo": SECRET, "Retry-After": SECRET}))
    client = RunComfy(transport(server), TOKEN.source)
    for call in (
        client.model_info,
        lambda: client.submit(GenerationRequest("a")),
        lambda: client.status("job-1"),
        lambda: client.result("job-1"),
        lambda: client.cancel("job-1"),
    ):
        try:
            shown = repr(call())
        except RunComfyError as error:
            shown = "\n".join(everything(error))
        assert SECRET not in shown
        assert SECRET[:10] not in shown
    found = repr(transport(server).send(GET))
    assert SECRET not in found
    assert "[token]" in found


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("status", [200, 401, 422, 500])
def test_nor_in_an_encoding_in_which_it_would_not_be_found(server: Loopback, status: int, encoding: str) -> None:
    words = dict.fromkeys(("message", "status", "request_id", "error", "outcome"), f"you sent {SECRET}")
    server.answer = always(reply(status, json.dumps(words).encode(encoding)))
    client = RunComfy(transport(server), TOKEN.source)
    for call in (lambda: client.submit(GenerationRequest("a")), lambda: client.status("job-1")):
        with pytest.raises(RunComfyError) as raised:
            call()
        assert "you sent" not in "\n".join(everything(raised.value))


def test_a_mark_of_utf_8_is_no_part_of_the_answer(server: Loopback) -> None:
    server.answer = always(reply(200, json.dumps({"status": "in_queue"}).encode("utf-8-sig")))
    assert RunComfy(transport(server), TOKEN.source).status("job-1").raw_status == "in_queue"


@given(
    token=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST),
    around=st.text(),
    escaped=st.sets(st.integers(0, 200)),
)
def test_it_is_found_in_any_json_text(token: str, around: str, escaped: set[int]) -> None:
    spelt = "".join(
        rf"\u{ord(mark):04x}" if number in escaped else json.dumps(mark)[1:-1] for number, mark in enumerate(token)
    )
    content = f'["{json.dumps(around)[1:-1]} {spelt}"]'.encode()
    (text,) = json.loads(redact_token(content, f"Bearer {token}"))
    assert token not in text or token in around


def test_a_short_word_is_not_torn_out_of_every_answer() -> None:
    assert redact_token(b"status", "Bearer s") == b"status"
    assert redact_token(b"nothing here", f"Bearer {SECRET}") == b"nothing here"


def breaking_off_after(answer: bytes) -> Callable[[Received], Iterator[bytes]]:
    """So much is answered, and no more."""

    def breaking_off(_: Received) -> Iterator[bytes]:
        yield answer
        raise Hangup

    return breaking_off


@BOTH
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", b"nonsense\r\n\r\n"])
def test_no_header_hangs_on_an_error(server: Loopback, call: ApiRequest, answer: bytes) -> None:
    """What `requests` raises holds the request, and that the Authorization header."""
    server.answer = breaking_off_after(answer)
    with pytest.raises(RunComfyError) as raised:
        transport(server).send(call)
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None
    assert SECRET not in "\n".join(everything(raised.value))


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        reply(302, headers={"Location": "/"}),
        reply(200, bytes(MAX_REPLY)),
        reply(200, b"{}", {"Content-Encoding": "br"}),
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        b"nonsense\r\n\r\n",
    ],
    ids=["redirect", "too long", "compressed", "breaks off", "no answer"],
)
def test_nor_does_what_was_being_done(server: Loopback, call: ApiRequest, answer: bytes) -> None:
    """Some tools show the variables of everything that a traceback has come through."""
    server.answer = breaking_off_after(answer)
    with pytest.raises(RunComfyError) as raised:
        transport(server).send(call)
    assert raised.value.__context__ is None
    shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    assert SECRET not in "".join(shown.format())
    through = [frame for frame, _ in traceback.walk_tb(raised.value.__traceback__)]
    assert {frame.f_code.co_name for frame in through[1:]} == {"send", "_exchange"}


@pytest.mark.parametrize("location", ["http://[::1", "//[", "\xff\xfe", "https://a..b/", "x:y", "http://a:port/", ""])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@BOTH
def test_no_redirect_is_even_looked_at(server: Loopback, call: ApiRequest, status: int, location: str) -> None:
    server.answer = always(reply(status, headers={"Location": location}))
    with pytest.raises(InvalidResponse, match="redirect"):
        transport(server).send(call)


def test_the_body_of_a_redirect_is_not_read(server: Loopback) -> None:
    def endless(_: Received) -> Iterator[bytes]:
        yield reply(302, headers={"Location": "/", "Content-Length": "999999999999"})
        server.over.wait(DEADLINE)

    server.answer = endless
    with pytest.raises(InvalidResponse, match="redirect"):
        transport(server).send(GET)


def test_a_head_that_trickles_is_cut_by_the_total_limit(server: Loopback) -> None:
    def trickle(_: Received) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        for number in range(90):
            yield b"X-%d: y\r\n" % number
        server.over.wait(DEADLINE)

    server.answer = trickle
    with pytest.raises(RunComfyError, match="time-out"):
        transport(server, Limits(read=10 * DEADLINE, total=0.3)).send(GET)


def test_no_cookie_is_kept(server: Loopback) -> None:
    server.answer = always(reply(200, b"{}", {"Set-Cookie": "who=me; Path=/"}))
    wire = transport(server)
    for _ in range(2):
        wire.send(GET)
    assert "cookie" not in server.received[1].headers


def test_no_log_at_any_level_holds_the_token(server: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.NOTSET)
    server.answer = always(reply(401, json.dumps({"message": SECRET}).encode(), {"X-Echo": SECRET}))
    for call in (GET, POST):
        transport(server).send(call)
    logged = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    assert "/v1/things" in logged, "so that this test can fail"
    assert SECRET not in logged
    assert base64.b64encode(SECRET.encode()).decode() not in logged


@BOTH
def test_nor_does_one_hold_what_is_no_header_line(
    server: Loopback, call: ApiRequest, caplog: pytest.LogCaptureFixture
) -> None:
    def quoting(received: Received) -> Iterator[bytes]:
        yield b"HTTP/1.1 502 Bad Gateway\r\nServer: x\r\n%b was refused\r\n\r\n" % (
            received.headers["authorization"].encode()
        )
        raise Hangup

    server.answer = quoting
    caplog.set_level(logging.NOTSET)
    assert transport(server).send(call).status == 502
    assert "/v1/things" in caplog.text, "so that this test can fail"
    assert SECRET not in caplog.text


@settings(max_examples=60, deadline=None)
@given(
    head=st.sampled_from(
        [
            *(b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: "),
            *(b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-",
        ]
    ),
    rest=st.binary() | st.text().map(lambda text: f"Content-Encoding: gzip\r\nX: {text}\r\n\r\n{text}".encode()),
)
def test_any_bytes_are_an_answer_or_one_of_our_errors(head: bytes, rest: bytes) -> None:
    def breaking_off(_: Received) -> Iterator[bytes]:
        yield head + rest
        raise Hangup

    with Loopback(breaking_off) as server:
        try:
            assert isinstance(transport(server).send(POST), ApiResponse)
        except RunComfyError as error:
            str(error).encode()
