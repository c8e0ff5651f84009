"""The wire: where the token goes, how long an exchange may take, and which endings prove that nothing arrived."""

from __future__ import annotations

import gzip
import http.client
import json
import pickle
import socket
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, repeat
from pathlib import Path

import pytest

from nodes.runcomfy import transport as transport_module
from nodes.runcomfy.client import RunComfy
from nodes.runcomfy.errors import ConnectError, InvalidResponse, ReadError, RunComfyError
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.token import Token
from nodes.runcomfy.transport import MAX_REPLY, ApiRequest, HttpTransport, Limits
from tests.support.loopback_server import DEADLINE, Hangup, Loopback, Received, Reset, always, reply

SECRET = "s3cr3t-0123456789"
TOKEN = Token(SECRET, "RUNCOMFY_API_TOKEN")
GET = ApiRequest("GET", "/v1/things")
POST = ApiRequest("POST", "/v1/things", body={"text": "grün 🎬", "seed": 7})
BOTH = pytest.mark.parametrize("call", [GET, POST], ids=["GET", "POST"])


def transport(server: Loopback, limits: Limits | None = None) -> HttpTransport:
    return HttpTransport(server.origin, TOKEN, limits or Limits())


def test_what_is_sent(server: Loopback) -> None:
    transport(server).send(
        ApiRequest("POST", "/v1/x", {"include_cost": "true", "odd": "a&b"}, {"text": "grün 🎬", "seed": 7})
    )
    (sent,) = server.received
    assert (sent.method, sent.target) == ("POST", "/v1/x?include_cost=true&odd=a%26b")
    assert sent.headers["authorization"] == f"Bearer {SECRET}"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["accept-encoding"] == "identity"
    assert json.loads(sent.body) == {"text": "grün 🎬", "seed": 7}


def test_a_call_without_a_body_sends_none(server: Loopback) -> None:
    transport(server).send(ApiRequest("POST", "/v1/x/cancel"))
    assert server.received[0].body == b""


@pytest.mark.parametrize("status", [200, 202, 401, 404, 422, 429, 500, 503])
@BOTH
def test_every_whole_answer_is_a_reply(server: Loopback, call: ApiRequest, status: int) -> None:
    server.answer = always(reply(status, b'{"a": 1}', {"Retry-After": "7", "X-Odd": "yes"}))
    found = transport(server).send(call)
    assert (found.status, found.body) == (status, b'{"a": 1}')
    assert (found.headers["retry-after"], found.headers["x-odd"]) == ("7", "yes")
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@BOTH
def test_a_redirect_is_refused_and_the_token_goes_nowhere_else(server: Loopback, call: ApiRequest, status: int) -> None:
    with Loopback(always(reply(body=b"{}"))) as other:
        server.answer = always(reply(status, headers={"Location": other.origin + "/v1/things"}))
        with pytest.raises(InvalidResponse, match="redirect"):
            transport(server).send(call)
        assert len(server.received) == 1
        assert other.connections == 0


def test_a_netrc_entry_does_not_replace_the_token(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1\nlogin someone\npassword else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    transport(server).send(GET)
    transport(server).send(POST)
    assert [sent.headers["authorization"] for sent in server.received] == [f"Bearer {SECRET}"] * 2


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@BOTH
def test_a_proxy_gets_nothing_of_a_service_on_this_machine(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, call: ApiRequest, name: str
) -> None:
    with Loopback(always(reply(body=b"{}"))) as proxy:
        monkeypatch.setenv(name, proxy.origin)
        transport(server).send(call)
        assert proxy.connections == 0
    assert len(server.received) == 1


@pytest.mark.parametrize("ending", [Hangup, Reset])
def test_a_proxy_that_took_the_request_and_broke_off_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, ending: type[Exception]
) -> None:
    def take_and_break(received: Received) -> Iterator[bytes]:
        raise ending

    with Loopback(take_and_break) as proxy:
        monkeypatch.setenv("http_proxy", proxy.origin)
        with pytest.raises(ReadError) as raised:
            HttpTransport("http://api.invalid", TOKEN).send(POST)
        assert [sent.method for sent in proxy.received] == ["POST"]
    assert not raised.value.not_accepted


def test_a_proxy_that_is_not_there_proves_that_nothing_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        with pytest.raises(ConnectError) as raised:
            HttpTransport("http://api.invalid", TOKEN).send(POST)
    assert raised.value.not_accepted


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://127.0.0.1:9",
        "http://",
        "http://[",
        "http://a:port",
        "http://a..b:1",
        "http://a b",
        "ftp://a",
        "\xff",
        ":",
    ],
)
def test_a_proxy_that_cannot_be_used_proves_it_too(monkeypatch: pytest.MonkeyPatch, name: str, proxy: str) -> None:
    monkeypatch.setenv(name, proxy)
    wire = HttpTransport("https://api.invalid", TOKEN)
    for call in (GET, POST):
        with pytest.raises(ConnectError, match=r"SOCKS|proxy|no connection") as raised:
            wire.send(call)
        assert raised.value.not_accepted


@pytest.mark.parametrize("host", ["*", "a..b", "x" * 70 + ".example"])
def test_an_origin_that_no_name_server_could_know_proves_it_too(host: str) -> None:
    with pytest.raises(ConnectError):
        HttpTransport(f"https://{host}", TOKEN).send(POST)


@pytest.mark.parametrize(("status", "error"), [(407, ConnectError), (502, ConnectError)])
def test_a_proxy_that_refuses_the_tunnel_proves_it_too(
    monkeypatch: pytest.MonkeyPatch, status: int, error: type[RunComfyError]
) -> None:
    with Loopback(always(reply(status))) as proxy:
        monkeypatch.setenv("https_proxy", proxy.origin)
        with pytest.raises(error):
            HttpTransport("https://api.invalid", TOKEN).send(POST)


@BOTH
def test_a_refused_connection_proves_that_nothing_arrived(call: ApiRequest) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectError) as raised:
            HttpTransport(f"http://127.0.0.1:{deaf.getsockname()[1]}", TOKEN).send(call)
    assert raised.value.not_accepted


@BOTH
def test_an_unknown_name_proves_that_nothing_arrived(call: ApiRequest) -> None:
    with pytest.raises(ConnectError):
        HttpTransport("https://api.invalid", TOKEN).send(call)


@BOTH
def test_a_connection_that_is_never_taken_proves_it_too(call: ApiRequest) -> None:
    # macOS takes a backlog of 0 for the longest there is, and lets half as many more wait.
    with socket.create_server(("127.0.0.1", 0), backlog=1) as full, ExitStack() as opened:
        for _ in range(8):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(ConnectError, match="time limit"):
            HttpTransport(f"http://127.0.0.1:{full.getsockname()[1]}", TOKEN, Limits(connect=0.2)).send(call)


@BOTH
def test_a_service_that_does_not_speak_tls_leaves_it_open(server: Loopback, call: ApiRequest) -> None:
    with pytest.raises(ReadError):
        HttpTransport(server.origin.replace("http", "https"), TOKEN).send(call)
    assert server.raw
    assert SECRET.encode() not in b"".join(server.raw)


def breaking_off(*pieces: bytes, how: type[Exception]) -> Iterator[bytes]:
    yield from pieces
    raise how


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("how", [Hangup, Reset])
@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (HEAD,),
        (HEAD, b'{"request_id": '),
        (CHUNKED,),
        (CHUNKED, b'f\r\n{"request_id": \r\n'),
        (CHUNKED, b"zz\r\nno chunk"),
        (b"\0\1\2\3 not HTTP at all\r\n\r\n",),
        (CHUNKED, b"-1\r\n" + bytes(5000)),
        (CHUNKED, b"-5\r\nhello\r\n"),
        (CHUNKED, b"1" * 70_000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n{}",),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,),
    ],
)
@BOTH
def test_an_answer_that_breaks_off_leaves_it_open(
    server: Loopback, call: ApiRequest, pieces: tuple[bytes, ...], how: type[Exception]
) -> None:
    server.answer = lambda _: breaking_off(*pieces, how=how)
    with pytest.raises(ReadError) as raised:
        transport(server).send(call)
    assert not raised.value.not_accepted
    assert len(server.received) == 1


@pytest.mark.parametrize("error", [ValueError, UnicodeError, http.client.HTTPException, OSError])
def test_whatever_else_an_answer_makes_python_say_leaves_it_open(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def begin(_: http.client.HTTPResponse) -> None:
        raise error(f"there is {SECRET} in it")

    monkeypatch.setattr(http.client.HTTPResponse, "begin", begin)
    with pytest.raises(ReadError) as raised:
        transport(server).send(POST)
    assert not raised.value.not_accepted
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_a_head_that_breaks_off_is_an_empty_answer_which_leaves_a_submit_open(server: Loopback, head: bytes) -> None:
    server.answer = lambda _: breaking_off(head, how=Hangup)
    with pytest.raises(RunComfyError) as raised:
        RunComfy(transport(server), TOKEN.source).submit(GenerationRequest("A boat"))
    assert not raised.value.not_accepted


@pytest.mark.parametrize("pieces", [(), (HEAD,), (HEAD, b'{"request_id": ')])
@BOTH
def test_silence_is_cut_by_the_read_limit(server: Loopback, call: ApiRequest, pieces: tuple[bytes, ...]) -> None:
    def silent(_: Received) -> Iterator[bytes]:
        yield from pieces
        server.over.wait(DEADLINE)

    server.answer = silent
    with pytest.raises(ReadError):
        transport(server, Limits(read=0.2)).send(call)
    assert len(server.received) == 1


def test_a_trickle_is_cut_by_the_total_limit(server: Loopback) -> None:
    def trickle(_: Received) -> Iterator[bytes]:
        yield HEAD + b"x"
        server.over.wait(DEADLINE)

    server.answer = trickle
    clock = chain([0.0], repeat(45.1))
    wire = HttpTransport(server.origin, TOKEN, Limits(read=5, total=45), clock=lambda: next(clock))
    with pytest.raises(ReadError, match="time-out"):
        wire.send(GET)


def test_an_answer_that_is_too_large_is_given_up(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "MAX_REPLY", 1000)

    def endless(_: Received) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1000)
        server.over.wait(DEADLINE)

    server.answer = endless
    with pytest.raises(InvalidResponse, match="too long") as raised:
        transport(server).send(POST)
    assert not raised.value.not_accepted
    server.answer = always(reply(body=bytes(900)))
    assert transport(server).send(GET).body == bytes(900)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "identity, gzip", "nonsense"])
def test_an_answer_that_would_have_to_be_unpacked_is_not_read(server: Loopback, encoding: str) -> None:
    """It may become a thousand times as long."""
    server.answer = always(reply(body=b"{}", headers={"Content-Encoding": encoding}))
    with pytest.raises(InvalidResponse, match="compressed"):
        transport(server).send(GET)


def test_what_was_packed_on_the_way_though_nobody_asked_is_read_within_the_same_bounds(server: Loopback) -> None:
    """Else a job that the service has taken would count as unknown."""
    packed = gzip.compress(b'{"request_id": "job-1"}')
    server.answer = always(reply(body=packed, headers={"Content-Encoding": "GZIP"}))
    assert transport(server).send(POST).body == b'{"request_id": "job-1"}'
    server.answer = always(reply(body=gzip.compress(bytes(MAX_REPLY + 1)), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(InvalidResponse, match="too long"):
        transport(server).send(GET)
    server.answer = always(reply(body=b"nonsense", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(InvalidResponse, match="unpacked"):
        transport(server).send(GET)


@pytest.mark.parametrize("encoding", ["identity", " Identity ", ""])
def test_one_that_is_as_it_is_is_read(server: Loopback, encoding: str) -> None:
    server.answer = always(reply(body=b"{}", headers={"Content-Encoding": encoding}))
    assert transport(server).send(GET).body == b"{}"


def test_reads_share_a_connection(server: Loopback) -> None:
    wire = transport(server)
    for _ in range(3):
        wire.send(GET)
    assert [sent.connection for sent in server.received] == [0, 0, 0]


def test_no_post_goes_over_a_connection_that_was_used_before(server: Loopback) -> None:
    wire = transport(server)
    for call in (GET, POST, POST, GET):
        wire.send(call)
    assert [sent.connection for sent in server.received] == [0, 1, 2, 0]


def test_the_token_is_in_no_error(server: Loopback) -> None:
    server.answer = lambda _: breaking_off(HEAD, how=Reset)
    wire = transport(server)
    with pytest.raises(RunComfyError) as raised:
        wire.send(POST)
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(vars(wire))
    assert SECRET not in shown
    assert SECRET.encode() not in _pickled(raised.value)


def _pickled(error: RunComfyError) -> bytes:
    """Everything about an error that could be stored."""
    return pickle.dumps((error.args, vars(error)))
