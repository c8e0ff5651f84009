"""Which links are followed: https to public addresses, whatever name, number form or redirect leads elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pytest
import requests

from nodes.video import url_policy
from nodes.video.errors import UnsafeUrl
from nodes.video.url_policy import check_url, is_public, media_session
from tests.support.loopback_server import DEADLINE, Hangup, Loopback, Received, always, reply
from tests.support.transfers import get

LINK = "https://videos.example/a.mp4"
SHORT_FORMS = ("127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "0x7f000001", "127.0.0.1.", "198.18.7", "0xc6120007")
"""Every resolver takes these for addresses: all but the last two for 127.0.0.1."""
CONTROL = "\x1bc\x1b(0\x07\x9b2J\r\n\x852026-01-01 INFO\u2028all is well\u202e<b>"


def test_which_addresses_are_public() -> None:
    for address in (
        *("1.1.1.1", "8.8.8.8", "104.16.0.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1"),
        *("2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
    ):
        assert is_public(address), address
    # Beside what tests/video/test_properties_url_policy.py goes through.
    for address in (
        *("100.100.100.200", "192.0.0.192", "fd00:ec2::254"),  # clouds' metadata
        *("2001:0:808:808::1", "2002:808:808::", "64:ff9b:1::808:808"),  # Teredo, 6to4, NAT64
        *("", "localhost", "127.1", "videos.example"),
    ):
        assert not is_public(address), address


def test_links_that_may_be_tried_and_those_that_are_refused_before_anything_is_sent() -> None:
    for link in (
        *(LINK, "https://videos.example:8443/a.mp4?signature=x%2Fy&expires=1#t=1", "HTTPS://videos.example/a.mp4"),
        *("https://8.8.8.8/a.mp4", "https://[2606:4700:4700::1111]/a.mp4", "https://localhost.example/a.mp4"),
        *("https://videos.7.example/a.mp4", "https://vidéos.example/ä.mp4"),
    ):
        check_url(link)
    rows = {
        "only https": (
            *("http://videos.example/a.mp4", "ftp://videos.example/a.mp4", "file:///etc/passwd", "https:///a.mp4"),
            *("data:video/mp4;base64,AAAA", "//videos.example/a.mp4", "videos.example/a.mp4", ""),
        ),
        "user name": ("https://user@videos.example/a.mp4", "https://user:pass@videos.example/a.mp4"),
        "not a public": (
            *("https://localhost/a.mp4", "https://LOCALHOST./a.mp4", "https://127.0.0.1/a.mp4"),
            *("https://10.0.0.1:8443/a.mp4", "https://169.254.169.254/latest/meta-data", "https://[::1]/a.mp4"),
            *("https://[::ffff:127.0.0.1]/a.mp4", "https://[fe80::1%25eth0]/a.mp4", "https://198.18.0.7/a.mp4"),
            *(f"https://{form}/a.mp4" for form in SHORT_FORMS),
        ),
        "not a valid": (
            *("https://videos.example:99999/", "https://videos.example:0/", "https://videos.example:port/"),
            *("https://[::1/a.mp4", "https://[nonsense]/a.mp4", "https://videos.example/\ud800.mp4"),
        ),
        # Which also write nothing on a terminal.
        "": tuple(f"https://[{host}/a.mp4" for host in (f"fe80::1%{CONTROL}]", f"::1%25{CONTROL}]]0;", "::1%\x1b")),
    }
    for reason, links in rows.items():
        for link in links:
            with pytest.raises(UnsafeUrl) as refused:
                check_url(link)
            message = str(refused.value)
            assert reason in message, link
            assert message.isprintable(), link
            assert "all is well" not in message, link


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let names stand for other addresses, one after the other if there are more."""
    turns = list(addresses)

    def getaddrinfo(host: str, port: int | None, *_: object, **__: object) -> list[object]:
        address = turns.pop(0) if len(turns) > 1 else turns[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def first_byte(listener: socket.socket) -> bytes:
    listener.settimeout(DEADLINE)
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(DEADLINE)
        return connection.recv(1)


def test_a_name_that_changes_its_address_in_between_is_left_before_a_byte_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where everything is allowed, the first byte of a TLS handshake arrives: so that this test can fail."""
    for expected, reason in ((b"", "leads to 127.0.0.1"), (b"\x16", "Connection|SSL")):
        if expected:
            monkeypatch.setattr(url_policy, "is_public", lambda _: True)
        resolve(monkeypatch, "8.8.8.8", "127.0.0.1")
        with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as executor:
            arrived = executor.submit(first_byte, listener)
            with pytest.raises((UnsafeUrl, requests.ConnectionError), match=reason):
                get(media_session(), f"https://videos.example:{listener.getsockname()[1]}/a.mp4")
            assert arrived.result() == expected


def test_a_name_that_a_proxy_tool_answers_for_is_followed_and_nothing_else_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clash, mihomo and sing-box let every name lead into 198.18.0.0/15."""
    monkeypatch.setattr("urllib3.util.connection.create_connection", Mock(side_effect=OSError("connecting")))
    inside = ("10.0.0.1", "127.0.0.1", "169.254.169.254", "fd00::1", "::ffff:198.18.0.7", "fe80::1%\x1b[31m")
    rows = {
        ("videos.example", "connecting"): ("198.18.0.7", "198.19.255.254", "198.20.0.1"),
        ("videos.example", "videos.example leads to"): inside,
        **{(host, "not a public"): ("198.18.0.7",) for host in ("198.18.0.7", "198.18.7", "[::ffff:198.18.0.7]")},
    }
    for (host, reason), addresses in rows.items():
        for address in addresses:
            resolve(monkeypatch, address)
            with pytest.raises((UnsafeUrl, requests.ConnectionError), match=reason) as raised:
                get(media_session(), f"https://{host}/a.mp4")
            assert str(raised.value).isprintable(), address


def test_the_users_proxy_is_used_for_links_into_the_world_only_and_looked_up_for_each(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are not resolved on this side of it: there they may lead nowhere, or elsewhere."""
    session, resolved = media_session(server.origin), list[str]()
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **options: Any) -> Any:
        resolved.append(host)
        return real("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with Loopback(always(reply(502))) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            with monkeypatch.context() as patched:
                patched.setenv(name, proxy.origin)
                proxy.received.clear()
                assert get(session, server.origin + "/a.mp4").status_code == 200
                if name != "HTTP_PROXY":
                    with pytest.raises(requests.exceptions.ProxyError):
                        get(session, LINK)
                sent = [(each.method, each.target) for each in proxy.received]
                assert sent == [("CONNECT", "videos.example:443")] * (name != "HTTP_PROXY"), name
    assert set(resolved) == {"127.0.0.1"}
    with pytest.raises(UnsafeUrl, match=r"videos\.example leads to 127\.0\.0\.1"):
        get(session, LINK)


def test_what_is_no_public_address_in_any_form_is_neither_connected_to_nor_asked_for_at_a_proxy(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    for proxy in ("", server.origin):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        for host in (*SHORT_FORMS, "10.0.0.1", "[::1]", "localhost"):
            with pytest.raises(UnsafeUrl, match="not a public address"):
                get(media_session(), f"https://{host}:{server.port}/a.mp4")
    assert server.connections == 0


def test_the_body_of_a_redirect_is_not_read(server: Loopback) -> None:
    def endless(request: Received) -> Iterator[bytes]:
        if request.target == "/there":
            yield reply(200, b"here")
            return
        yield reply(302, headers={"Location": "/there", "Content-Length": "999999999999"}) + bytes(100_000)
        server.over.wait(DEADLINE)
        raise Hangup

    server.answer = endless
    answer = get(media_session(server.origin), server.origin + "/a.mp4", stream=True, timeout=(5, 5))
    assert answer.content == b"here"
