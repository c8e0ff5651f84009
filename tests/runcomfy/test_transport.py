"""Where the token goes, how long an exchange may take, and which endings prove that nothing arrived."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, product, repeat
from unittest.mock import Mock

import pytest

from nodes.errors import StopRequested
from nodes.runcomfy.client import MAX_RESPONSE_SIZE, ApiRequest, HttpTransport, Limits, RunComfy
from nodes.runcomfy.errors import ConnectError, InvalidResponse, ReadError, RunComfyError
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.responses import ApiResponse
from tests.support import loopback_server as serving
from tests.support.calls import BOTH, GET, POST, SECRET, TOKEN, transport
from tests.support.loopback_server import CHUNKED, HEAD, Hangup, Loopback, Received, Reset, always, breaking_off, reply


def failure(kind: type[RunComfyError], wire: HttpTransport, request: ApiRequest = POST) -> str:
    """What an exchange says that must fail in this way."""
    with pytest.raises(kind) as raised:
        wire.send(request)
    assert type(raised.value) is kind
    assert SECRET not in str(raised.value)
    return raised.value.message


def test_what_is_sent(server: Loopback) -> None:
    body: dict[str, str | int] = {"text": "grün 🎬", "seed": 7}
    transport(server).send(ApiRequest("POST", "/v1/x?include_cost=true", body=body))
    transport(server).send(ApiRequest("POST", "/v1/x/cancel"))
    sent, cancel = server.received
    assert (sent.method, sent.target) == ("POST", "/v1/x?include_cost=true")
    assert sent.headers["authorization"] == cancel.headers["authorization"] == f"Bearer {SECRET}"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["accept-encoding"] == "identity"
    assert json.loads(sent.body) == body
    assert cancel.body == b""


def test_a_redirect_is_refused_and_the_token_goes_nowhere_else(server: Loopback) -> None:
    with Loopback(always(reply(body=b"{}"))) as other:
        odd = ("http://[::1", "//[", "\xff\xfe", "https://a..b/", "x:y", "http://a:port/", "")
        for location, status in product((other.origin + "/v1/things", *odd), (301, 302, 303, 307, 308)):
            # Nor is its body read, however long it is.
            head = reply(status, headers={"Location": location, "Content-Length": "999999999999"})
            server.answer = serving.silent_after(server, head)
            for request in BOTH:
                assert "redirect" in failure(InvalidResponse, transport(server), request), (location, status)
        assert other.connections == 0
    assert len(server.received) == 80


def test_a_proxy_gets_nothing_of_a_service_on_this_machine(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback(always(reply(body=b"{}"))) as proxy:
        for name, request in product(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), BOTH):
            with monkeypatch.context() as patched:
                patched.setenv(name, proxy.origin)
                transport(server).send(request)
        assert proxy.connections == 0
    assert len(server.received) == 6


# What proves that nothing arrived.


def test_without_a_connection_nothing_can_have_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ("http://", "http://[", "http://a:port", "http://a:99999", "ftp://a", ":", "a b")
    socks = ("socks4://a:9", "socks5://a:9", "SOCKS5h://a:9")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        rows: list[tuple[str, str, str, str]] = [
            (nobody, "", "", "(no connection)"),
            ("http://api.invalid", "http_proxy", nobody, "no connection"),
            *((f"https://{host}", "", "", "(its ") for host in ("api.invalid", "*", "a..b", "x" * 70 + ".example")),
            *(
                (f"{scheme}://api.invalid", f"{scheme}_proxy", proxy, "the address of the proxy is not a valid one")
                for scheme, proxy in product(("http", "https"), bad)
            ),
            *(("https://api.invalid", "HTTPS_PROXY", proxy, "SOCKS proxies are not supported") for proxy in socks),
            *(("https://api.invalid", "ALL_PROXY", proxy, "prox") for proxy in ("http://a..b:1", "\xff")),
        ]
        for origin, variable, proxy, reason in rows:
            with monkeypatch.context() as patched:
                patched.setenv(variable or "UNUSED", proxy)
                for request in BOTH:
                    message = failure(ConnectError, HttpTransport(origin, TOKEN), request)
                    assert reason in message, (origin, variable, proxy)


def test_nor_where_a_proxy_refuses_the_tunnel_or_speaks_http_only(monkeypatch: pytest.MonkeyPatch) -> None:
    too_long = b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_RESPONSE_SIZE // 20)
    with Loopback(always(reply(407))) as proxy:
        origins = (proxy.origin, proxy.origin.replace("http", "https"))
        for address, answer in product(origins, (reply(407), reply(502), too_long)):
            proxy.answer = always(answer)
            monkeypatch.setenv("https_proxy", address)
            message = failure(ConnectError, HttpTransport("https://api.invalid", TOKEN))
            assert "proxy" in message or answer is too_long


def test_nor_where_a_connection_is_never_taken() -> None:
    # macOS takes a backlog of 0 for the longest there is, and lets half as many more wait.
    with socket.create_server(("127.0.0.1", 0), backlog=1) as full, ExitStack() as opened:
        for _ in range(8):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        wire = HttpTransport(f"http://127.0.0.1:{full.getsockname()[1]}", TOKEN, Limits(0.2))
        assert "time limit" in failure(ConnectError, wire)


def test_nor_where_a_handshake_does_not_end(service: Loopback) -> None:
    """A captive portal, a middlebox, a service that restarts: none of them has seen a byte of the request."""
    portal = reply(302, headers={"Location": "http://portal.example/"})

    def hangs(connection: socket.socket) -> socket.socket:
        service.over.wait(serving.DEADLINE)
        raise Hangup

    def resets_at_once(connection: socket.socket) -> socket.socket:
        raise Reset

    wire = HttpTransport(service.origin, TOKEN, Limits(connect=0.3))
    greetings = (serving.no_tls(), serving.no_tls(how=Reset), serving.no_tls(portal), resets_at_once, hangs)
    for service.greeting, request in product(greetings, BOTH):
        message = failure(ConnectError, wire, request)
        assert re.search("no TLS|before anything was sent|no connection", message), service.greeting
    service.greeting = serving.tls
    assert wire.send(POST).body == b"{}", "so that this test can fail"
    assert len(service.received) == 1


# The last look before the first byte.


def test_what_is_called_before_the_first_byte_ends_the_exchange(service: Loopback, server: Loopback) -> None:
    for where, kind in product((service, server), (StopRequested, ConnectError, LookupError, KeyboardInterrupt)):
        before, is_late = where.connections, Mock(side_effect=kind("too late"))
        with pytest.raises(kind, match="too late") as raised:
            transport(where, Limits(read=0.2)).send(replace(POST, before_first_byte=is_late))
        assert is_late.call_count == 1
        assert where is server or where.connections == before + 1, "after the handshake"
        assert raised.value.__context__ is None
        assert where.received == []
    for where in (service, server):
        assert transport(where).send(replace(POST, before_first_byte=lambda: None)).status == 200


def test_a_submit_has_a_limit_of_its_own_from_its_beginning_by_the_clock_that_is_handed_in(server: Loopback) -> None:
    server.answer = serving.silent_after(server)

    def late(looks: int, seconds: float) -> HttpTransport:
        return HttpTransport(server.origin, TOKEN, Limits(read=5), chain([0.0] * looks, repeat(seconds)).__next__)

    failure(ConnectError, late(1, 60.1))
    assert server.received == [], "over when the connection stands, nothing is sent"
    failure(ReadError, late(2, 60.1))
    assert "time-out" in failure(ReadError, late(2, 45.1), GET)
    server.answer = always(reply(body=b"{}"))
    assert late(1, 59.9).send(POST).body == b"{}"


def test_within_that_limit_a_submit_waits_for_its_answer_however_long_the_service_is_silent(server: Loopback) -> None:
    def slow(_: Received) -> Iterator[bytes]:
        server.over.wait(0.2)
        yield reply(body=b"{}")

    server.answer = slow
    assert transport(server, Limits(read=0.02)).send(POST).body == b"{}"


# What leaves it open.


def test_a_proxy_that_took_the_request_and_broke_off_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for ending in (Hangup, Reset):
        with Loopback(breaking_off(how=ending)) as proxy:
            monkeypatch.setenv("http_proxy", proxy.origin)
            failure(ReadError, HttpTransport("http://api.invalid", TOKEN))
            assert [sent.method for sent in proxy.received] == ["POST"]


def test_an_answer_that_breaks_off_leaves_it_open(service: Loopback, server: Loopback) -> None:
    rows: list[tuple[bytes, ...]] = [
        (),
        (HEAD, b'{"request_id": '),
        (CHUNKED, b'f\r\n{"request_id": \r\n'),
        (CHUNKED, b"zz\r\nno chunk"),
        (b"\0\1\2\3 not HTTP at all\r\n\r\n",),
        (CHUNKED, b"-1\r\n" + bytes(5000)),
        (CHUNKED, b"-5\r\nhello\r\n"),
        (CHUNKED, b"1" * 70_000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n{}",),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,),
    ]
    for where, how, pieces, request in product((server, service), (Hangup, Reset), rows, BOTH):
        where.answer = breaking_off(*pieces, how=how)
        where.received.clear()
        failure(ReadError, transport(where), request)
        assert len(where.received) == 1, (how, pieces)
    # Half a head is an empty answer.
    server.answer = breaking_off(b"HTTP/1.1 200 OK\r\nContent-Le")
    with pytest.raises(InvalidResponse):
        RunComfy(transport(server), TOKEN.source).submit(GenerationRequest("A boat"))


def test_any_other_error_of_pythons_leaves_it_open(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (ValueError, UnicodeError, http.client.HTTPException, OSError):
        with monkeypatch.context() as patched:
            patched.setattr(http.client.HTTPResponse, "begin", Mock(side_effect=kind(f"there is {SECRET} in it")))
            failure(ReadError, transport(server))


def test_what_was_packed_on_the_way_though_nobody_asked_is_read_within_the_same_bounds(server: Loopback) -> None:
    """Else a job that the service has taken would count as unknown."""
    packed = gzip.compress(b'{"request_id": "job-1"}')
    for encoding in ("gzip", "GZIP"):
        server.answer = always(reply(body=packed, headers={"Content-Encoding": encoding}))
        assert transport(server).send(POST).body == b'{"request_id": "job-1"}'
    for encoding in ("identity", " Identity ", ""):
        server.answer = always(reply(body=b"{}", headers={"Content-Encoding": encoding}))
        assert transport(server).send(GET).body == b"{}"
    rows = [
        ("", bytes(MAX_RESPONSE_SIZE), "too long"),
        ("gzip", gzip.compress(bytes(MAX_RESPONSE_SIZE + 1)), "too long"),
        *((encoding, b"{}", "compressed") for encoding in ("gzip, gzip", "br", "identity, gzip", "nonsense")),
    ]
    for encoding, body, why in rows:
        server.answer = always(reply(body=body, headers={"Content-Encoding": encoding}))
        assert why in failure(InvalidResponse, transport(server)), encoding
    server.answer = always(reply(body=b"nonsense", headers={"Content-Encoding": "gzip"}))
    failure(ReadError, transport(server))


def test_reads_share_a_connection_and_no_submit_goes_over_one_that_was_used_before(server: Loopback) -> None:
    wire = transport(server)
    cancel = ApiRequest("POST", "/v1/things")
    for request in (GET, POST, POST, cancel, GET):
        assert isinstance(wire.send(request), ApiResponse)
    assert [sent.connection for sent in server.received] == [0, 1, 2, 0, 0]
