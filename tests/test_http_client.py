"""Every response is complete in time and within its size, or is given up; and how far a request got is known."""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count, product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from nodes.http_client import LimitedAdapter, Session, failure_reason
from nodes.http_exchange import Exchange, ResponseTooLarge
from tests.support import loopback_server as serving
from tests.support.loopback_server import CHUNKED, DEADLINE, HEAD, Loopback, Received, always, reply, silent_after

SIZE = 100_000
"""Bytes of an answer at most."""


@pytest.fixture(autouse=True)
def _no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def session() -> requests.Session:
    return Session(LimitedAdapter())


def get(
    url: str,
    seconds: float = DEADLINE,
    clock: Callable[[], float] = time.monotonic,
    *,
    using: requests.Session | None = None,
    **options: Any,
) -> requests.Response:
    with Exchange(seconds, SIZE, clock):
        return (using or session()).get(url, **{"timeout": None} | options)


def test_what_trickles_is_given_up_when_the_time_is_over(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {
        "head": (b"HTTP/1.1 200 OK\r\n", *[b"X-More: and more\r\n"] * 90),
        "body": (HEAD, *[b"x"] * 50),
        "interim": (b"HTTP/1.1 100 Continue\r\n\r\n",),
    }
    for what, pieces in rows.items():
        server.answer = silent_after(server, *pieces)
        with pytest.raises(requests.RequestException) as raised:
            get(server.origin, 0.3)
        assert "timed out" in str(raised.value), what
    for name, url in (("http_proxy", "http://videos.invalid/"), ("https_proxy", "https://videos.invalid/")):
        server.answer = silent_after(server, *rows["head"])
        monkeypatch.setenv(name, server.origin)
        with pytest.raises(requests.RequestException) as raised:
            get(url, 0.3)
        assert "timed out" in str(raised.value), name


def test_each_exchange_of_a_connection_has_its_own_time(server: Loopback) -> None:
    seconds = count(0.0)  # a second passes between any two looks
    kept = session()
    for _ in range(40):
        assert get(server.origin, 50, lambda: next(seconds), using=kept).content == b"{}"
    assert server.connections == 1


def test_what_is_too_long_is_given_up_before_its_end_and_not_a_byte_too_early(server: Loopback) -> None:
    rows = {
        "interim": (b"HTTP/1.1 100 Continue\r\n\r\n",) * (SIZE // 25 + 1),
        "head": (b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 50_000 + b"\r\n"] * 3),
        "body": (b"HTTP/1.1 200 OK\r\n\r\n", bytes(SIZE)),
        "chunks": (CHUNKED, *[b"1\r\nx\r\n"] * (SIZE // 6 + 1)),
        "trailer": (CHUNKED, b"0\r\n", *[b"X-Trailer: and more\r\n"] * (SIZE // 20)),
        "a byte too much": (of_size(SIZE + 1),),
    }
    kept = session()
    for what, pieces in rows.items():
        server.answer = always(of_size(SIZE))
        for _ in range(2):
            assert get(server.origin, using=kept).content
        server.answer = silent_after(server, *pieces)
        with pytest.raises(ResponseTooLarge):
            pytest.fail(f"{what}: {get(server.origin, using=kept)}")


def of_size(size: int) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %06d\r\n\r\n"
    length = size - len(head % 0)
    return head % length + bytes(length)


def test_the_body_of_a_redirect_is_not_read(server: Loopback) -> None:
    begun = reply(302, headers={"Location": "/there", "Content-Length": "999999999999"}) + bytes(100_000)
    redirecting = silent_after(server, begun)
    server.answer = lambda request: [reply(200, b"here")] if request.target == "/there" else redirecting(request)
    following = Session(LimitedAdapter(), redirects=1)
    assert get(server.origin, using=following, stream=True, timeout=(5, 5)).content == b"here"
    assert get(server.origin, stream=True).is_redirect


def test_no_cookie_or_password_is_sent_and_nothing_is_requested_outside_of_an_exchange(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1\nlogin someone\npassword else\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.answer = always(reply(headers={"Set-Cookie": "who=me; Path=/"}))
    kept = session()
    for _ in range(2):
        get(server.origin, using=kept)
    assert not server.received[1].headers.keys() & {"authorization", "cookie", "proxy-authorization"}
    with pytest.raises(LookupError):
        kept.get(server.origin)
    assert len(server.received) == 2


def test_nothing_is_printed_or_logged_that_quotes_a_header(
    server: Loopback,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Even where somebody turned printing on, and where what is no header line quotes one."""

    def quoting(received: Received) -> Iterator[bytes]:
        secret = received.headers.get("x", "")
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n%b was sent\r\n\r\nhello" % secret.encode()
        raise serving.Hangup

    server.answer = quoting
    caplog.set_level(logging.NOTSET)
    with monkeypatch.context() as patched:
        patched.setattr(http.client.HTTPConnection, "debuglevel", 1)
        requests.get(server.origin, headers={"X": "hidden"}, timeout=DEADLINE)
        assert "hidden" in capsys.readouterr().out, "so that this test can fail"
        get(server.origin, headers={"X": "hidden", "Authorization": "Bearer hidden"})
        assert capsys.readouterr().out == ""
    requests.get(server.origin, headers={"X": "hidden"}, timeout=DEADLINE)
    assert "hidden" in caplog.text, "so that this test can fail"
    caplog.clear()
    get(server.origin, headers={"X": "hidden"})
    assert server.origin.rpartition(":")[2] in caplog.text
    assert "hidden" not in caplog.text


# How far a request got.


def failed(url: str) -> tuple[bool, str]:
    """Whether a byte of a request that fails may have left, and why it failed."""
    with Exchange(DEADLINE, SIZE) as exchange, pytest.raises((OSError, ValueError)) as raised:
        session().get(url, timeout=(DEADLINE, DEADLINE))
    return exchange.sent, failure_reason(raised.value, exchange)


def test_a_socket_that_is_reset_before_anybody_can_ask_where_it_leads_is_another(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(socket.socket):
        def getpeername(self) -> Any:
            raise OSError(107, "Transport endpoint is not connected")

    monkeypatch.setattr(socket, "socket", Gone)
    assert failed(server.origin) == (False, "connection lost before anything was sent")
    assert server.received == []


def test_certificates_that_cannot_be_read_or_do_not_fit_are_told_by_their_variables_name(
    service: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "no.pem").write_text("this is no certificate", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    unreadable = "the certificates that {} names cannot be read"
    wrong = "its certificate could not be verified; {} is set"
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    rows = [
        *product(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), (("missing.pem", unreadable), ("no.pem", unreadable))),
        *product(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), (("folder", wrong),)),
        ("SSL_CERT_FILE", ("no.pem", wrong)),
        ("UNUSED", ("", "its certificate could not be verified")),
    ]
    for variable, (name, reason) in rows:
        with monkeypatch.context() as patched:
            patched.setenv(variable, str(tmp_path / name))
            assert failed(service.origin) == (False, reason.format(variable)), (variable, name)
    assert service.received == []


def test_certificates_of_the_system_count_where_truststore_is_there(
    service: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_the_system(protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        serving.AUTHORITY.configure_trust(context)
        return context

    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setitem(sys.modules, "truststore", SimpleNamespace(SSLContext=of_the_system))
    assert get(service.origin).content == b"{}"
    monkeypatch.setitem(sys.modules, "truststore", None)
    assert failed(service.origin) == (False, "its certificate could not be verified")


# Proxies.


def test_a_proxy_is_looked_up_for_each_request(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and macOS have it in their settings, where it is switched on and off while ComfyUI runs."""
    kept = session()
    for form in ("http://127.0.0.1:{}", "127.0.0.1:{}", "HTTP://user:word@127.0.0.1:{}/"):
        monkeypatch.setenv("http_proxy", form.format(server.port))
        assert get("http://videos.invalid/", using=kept).content == b"{}", form
    monkeypatch.delenv("http_proxy")
    assert failed("http://videos.invalid/") == (False, "its name could not be found")
    proxies: dict[str, str] = {}
    monkeypatch.setattr(requests.utils, "getproxies", lambda: proxies)
    reached = []
    for proxies["http"] in (server.origin, "", server.origin):
        with suppress(requests.ConnectionError):
            reached.append((proxies["http"], get("http://videos.invalid/", using=kept).content))
    assert reached == [(server.origin, b"{}")] * 2
