"""Which links are followed: https to public addresses, whatever name, number form or redirect leads elsewhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest
import requests

from nodes.video.errors import UnsafeUrl
from nodes.video.url_policy import MAX_REDIRECTS, check_url, is_public, media_session
from tests.support.loopback_server import DEADLINE, Loopback, always, reply


@pytest.mark.parametrize(
    "link",
    [
        "https://videos.example/a.mp4",
        "https://videos.example:8443/a.mp4?signature=x%2Fy&expires=1#t=1",
        "HTTPS://videos.example/a.mp4",
        "https://8.8.8.8/a.mp4",
        "https://[2606:4700:4700::1111]/a.mp4",
        "https://localhost.example/a.mp4",
        "https://vidéos.example/ä.mp4",
    ],
)
def test_links_that_may_be_tried(link: str) -> None:
    check_url(link)


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("http://videos.example/a.mp4", "only https"),
        ("ftp://videos.example/a.mp4", "only https"),
        ("file:///etc/passwd", "only https"),
        ("data:video/mp4;base64,AAAA", "only https"),
        ("//videos.example/a.mp4", "only https"),
        ("videos.example/a.mp4", "only https"),
        ("https:///a.mp4", "only https"),
        ("", "only https"),
        ("https://user@videos.example/a.mp4", "user name"),
        ("https://user:pass@videos.example/a.mp4", "user name"),
        ("https://localhost/a.mp4", "not a public"),
        ("https://LOCALHOST./a.mp4", "not a public"),
        ("https://127.0.0.1/a.mp4", "not a public"),
        ("https://10.0.0.1:8443/a.mp4", "not a public"),
        ("https://169.254.169.254/latest/meta-data", "not a public"),
        ("https://[::1]/a.mp4", "not a public"),
        ("https://[::ffff:127.0.0.1]/a.mp4", "not a public"),
        ("https://[fe80::1%25eth0]/a.mp4", "not a public"),
        ("https://[::1/a.mp4", "not a valid"),
        ("https://[nonsense]/a.mp4", "not a valid"),
        ("https://videos.example/\ud800.mp4", "not a valid"),
    ],
)
def test_links_that_are_refused_before_anything_is_sent(link: str, reason: str) -> None:
    with pytest.raises(UnsafeUrl, match=reason):
        check_url(link)


CONTROL = "\x1bc\x1b(0\x07\x9b2J\r\n\x852026-01-01 INFO\u2028all is well\u202e<b>"


@pytest.mark.parametrize(
    "host", [f"[fe80::1%{CONTROL}]", f"[fe80::1%25{CONTROL}]", f"[::1%25{CONTROL}]]0;", "[::1%\x1b"]
)
def test_a_refusal_writes_nothing_on_the_terminal_but_itself(host: str) -> None:
    with pytest.raises(UnsafeUrl) as raised:
        check_url(f"https://{host}/a.mp4")
    message = str(raised.value)
    assert message.isprintable()
    assert "all is well" not in message
    assert "<b>" not in message


def test_nor_does_that_of_a_name_whatever_a_name_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("fe80::1%\x1b[31m", 0))])
    with pytest.raises(UnsafeUrl, match=r"videos\.example leads to fe80::1% \[31m, which") as raised:
        media_session().get("https://videos.example/a.mp4")
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("link", ["https://user:pass@videos.example/", "https://localhost/", "https://10.0.0.1/"])
def test_the_session_refuses_them_by_itself(link: str) -> None:
    with pytest.raises(UnsafeUrl):
        media_session().get(link)


SHORT_FORMS = ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"]
"""Names, for all that can be told before connecting, that every resolver takes for 127.0.0.1."""


@pytest.mark.parametrize("name", SHORT_FORMS)
def test_a_name_that_leads_to_this_machine_is_not_even_connected_to(server: Loopback, name: str) -> None:
    with pytest.raises(UnsafeUrl, match=r"leads to 127\.0\.0\.1, which is not a public address"):
        media_session().get(f"https://{name}:{server.port}/a.mp4")
    assert server.connections == 0


def test_a_name_that_changes_its_address_in_between_is_left_before_a_byte_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rebind(monkeypatch, "8.8.8.8", "127.0.0.1")
    arrived, error = sent_to("videos.example", is_public)
    assert arrived == b""
    assert isinstance(error, UnsafeUrl)
    assert "leads to 127.0.0.1" in str(error)


def test_with_such_addresses_allowed_it_would_have_been_talked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the tests above can fail."""
    rebind(monkeypatch, "8.8.8.8", "127.0.0.1")
    arrived, _ = sent_to("videos.example", lambda _: True)
    assert arrived == b"\x16"  # a TLS handshake


def rebind(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let a name stand for another address each time it is asked for."""
    turns = iter(addresses)

    def resolve(host: str, port: int | None, *_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (next(turns), port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def sent_to(name: str, allowed: Callable[[str], bool]) -> tuple[bytes, Exception]:
    """The first byte that arrives at a socket of this machine when a link to ``name`` is followed, and the error."""
    arrived: list[bytes] = []

    def listen() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(DEADLINE)
            arrived.append(connection.recv(1))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE)
        thread = threading.Thread(target=listen)
        thread.start()
        link = f"https://{name}:{listener.getsockname()[1]}/a.mp4"
        with (
            media_session(allowed=allowed) as session,
            pytest.raises((UnsafeUrl, requests.ConnectionError)) as raised,
        ):
            session.get(link, timeout=DEADLINE)
        thread.join(DEADLINE)
    return arrived[0], raised.value


def test_the_address_that_is_judged_is_the_one_connected_to(server: Loopback) -> None:
    asked: list[str] = []

    def nothing_is_public(address: str) -> bool:
        asked.append(address)
        return False

    with pytest.raises(UnsafeUrl):
        media_session(allowed=nothing_is_public).get(f"https://127.1:{server.port}/")
    assert asked == ["127.0.0.1"]


def test_http_is_spoken_with_the_trusted_origin_only(server: Loopback) -> None:
    with Loopback(always(reply())) as other:
        session = media_session(server.origin)
        assert session.get(server.origin + "/a.mp4").status_code == 200
        for link in (
            other.origin,
            server.origin[:-1] + "/",
            f"http://localhost:{server.port}/",
        ):
            with pytest.raises(requests.exceptions.InvalidSchema):
                session.get(link)
        assert other.connections == 0


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("https://10.0.0.1/a.mp4", UnsafeUrl),
        ("https://127.1:{other}/a.mp4", UnsafeUrl),
        ("https://user:pass@videos.example/a.mp4", UnsafeUrl),
        ("http://127.0.0.1:{other}/a.mp4", requests.exceptions.InvalidSchema),
        ("file:///etc/passwd", requests.exceptions.InvalidSchema),
    ],
)
def test_a_redirect_is_judged_like_a_link(server: Loopback, target: str, error: type[Exception]) -> None:
    with Loopback(always(reply())) as other:
        server.answer = always(reply(302, headers={"Location": target.format(other=other.port)}))
        with pytest.raises(error):
            media_session(server.origin).get(server.origin + "/a.mp4")
        assert other.received == []


def test_redirects_end(server: Loopback) -> None:
    server.answer = always(reply(302, headers={"Location": "/again"}))
    with pytest.raises(requests.exceptions.TooManyRedirects):
        media_session(server.origin).get(server.origin + "/a.mp4")
    assert len(server.received) == MAX_REDIRECTS + 1


def test_no_credentials_travel_with_a_link(
    server: Loopback, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1\nlogin someone\npassword else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    media_session(server.origin).get(server.origin + "/a.mp4")
    assert not server.received[0].headers.keys() & {"authorization", "cookie", "proxy-authorization"}


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_is_not_asked_for_this_machines_own_links(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with Loopback(always(reply(502))) as proxy:
        monkeypatch.setenv(name, proxy.origin)
        assert media_session(server.origin).get(server.origin + "/a.mp4").status_code == 200
        assert proxy.connections == 0


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
def test_the_users_proxy_is_used_for_links_into_the_world(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with Loopback(always(reply(502))) as proxy:
        monkeypatch.setenv(name, proxy.origin)
        with pytest.raises(requests.exceptions.ProxyError):
            media_session().get("https://videos.example/a.mp4")
        assert [(sent.method, sent.target) for sent in proxy.received] == [("CONNECT", "videos.example:443")]
