"""Which links are followed: https to public addresses, whatever name, number form or redirect leads elsewhere."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from itertools import chain, repeat
from queue import SimpleQueue
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from nodes.video import url_policy
from nodes.video.errors import UnsafeUrl
from nodes.video.url_policy import MAX_REDIRECTS, check_url, is_public, media_session
from tests.support.loopback_server import DEADLINE, Hangup, Loopback, always, reply
from tests.support.transfers import get

LINK = "https://videos.example/a.mp4"
SHORT_FORMS = ("127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "0x7f000001", "127.0.0.1.", "198.18.7", "0xc6120007")
"""Every resolver takes these for addresses: all but the last two for 127.0.0.1."""
CONTROL = "\x1bc\x1b(0\x07\x9b2J\r\n\x852026-01-01 INFO\u2028all is well\u202e<b>"

# IANA's registries of special-purpose addresses, all that is not globally reachable, and multicast.
SPECIAL = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    *("::/8", "100::/64", "100:0:0:1::/64", "2001::/32", "2001:2::/48", "2001:10::/28", "2001:db8::/32", "2002::/16"),
    *("3fff::/20", "5f00::/16", "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
)
HIDING = (
    *("::{}", "::ffff:{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}", "2002:{high:x}:{low:x}::", "2001:0:1::{}"),
    *("fe80::5efe:{}", "fd00::{}"),
)
"""Forms that carry an IPv4 address inside of IPv6."""

PRIVATE_IPV4 = st.sampled_from([network for network in SPECIAL if ":" not in network]).flatmap(
    lambda network: st.ip_addresses(v=4, network=network)
)


def test_public_addresses() -> None:
    for address in (
        *("1.1.1.1", "8.8.8.8", "104.16.0.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1"),
        *("2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
    ):
        assert is_public(address), address


@given(st.sampled_from(SPECIAL).flatmap(lambda network: st.ip_addresses(network=network)))
def test_no_special_address_is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    hidden = getattr(address, "ipv4_mapped", None) or address
    if address in ipaddress.ip_network("64:ff9b::/96"):
        hidden = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if hidden is address or any(hidden in ipaddress.ip_network(each) for each in SPECIAL if ":" not in each):
        assert not is_public(str(address))
        assert not is_public(address.exploded)


@given(PRIVATE_IPV4, st.sampled_from(HIDING))
def test_nor_does_one_become_so_inside_of_another(address: ipaddress.IPv4Address, form: str) -> None:
    hiding = form.format(address, high=int(address) >> 16, low=int(address) & 0xFFFF)
    assert not is_public(hiding)
    assert not is_public(f"{hiding}%1")


@example("127.1")
@given(st.text() | st.from_regex(r"[0-9a-fA-F:.x%\[\]]{0,40}"))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    if is_public(text):
        ipaddress.ip_address(text.partition("%")[0])


HOSTS = st.one_of(
    st.text(min_size=1),
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    PRIVATE_IPV4.map(lambda address: str(int(address))),
    PRIVATE_IPV4.map(lambda address: hex(int(address))),
    PRIVATE_IPV4.map(lambda address: ".".join(oct(int(part)).replace("o", "") for part in str(address).split("."))),
)
LINKS = st.builds(
    lambda scheme, user, host, port, path: f"{scheme}{user}{host}{port}{path}",
    st.sampled_from(["https://", "HTTPS://", "https:/", "https:", "http://", "//", "file://", "ftp://", "data:", ""]),
    st.sampled_from(["", "user@", "user:word@", ":@", "@"]),
    HOSTS,
    st.sampled_from(["", ":443", ":", ":0", ":99999", ":x"]),
    st.sampled_from(["", "/", "/a.mp4", "\\@127.0.0.1/", "#@127.0.0.1/", "?@127.0.0.1/", "/\r\nHost: x"]),
)


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
            *(f"https://{form}/a.mp4" for form in (*SHORT_FORMS, "[::ffff:198.18.0.7]")),
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
    turns = chain(addresses, repeat(addresses[-1]))

    def getaddrinfo(host: str, port: int | None, *_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (next(turns), port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_a_name_that_changes_its_address_in_between_is_left_before_a_byte_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where everything is allowed, the first byte of a TLS handshake arrives: so that this test can fail."""
    arrived = SimpleQueue[bytes]()

    def greet(connection: socket.socket) -> socket.socket:
        arrived.put(connection.recv(1))
        raise Hangup

    for expected, reason in ((b"", "leads to 127.0.0.1"), (b"\x16", "Connection|SSL")):
        if expected:
            monkeypatch.setattr(url_policy, "is_public", lambda _: True)
        resolve(monkeypatch, "8.8.8.8", "127.0.0.1")
        with Loopback(always(), greet) as listener:
            with pytest.raises((UnsafeUrl, requests.ConnectionError), match=reason):
                get(media_session(), f"https://videos.example:{listener.port}/a.mp4")
            assert arrived.get(timeout=DEADLINE) == expected


def test_a_name_that_a_proxy_tool_answers_for_is_followed_and_nothing_else_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clash, mihomo and sing-box let every name lead into 198.18.0.0/15."""
    monkeypatch.setattr("urllib3.util.connection.create_connection", Mock(side_effect=OSError("connecting")))
    inside = ("10.0.0.1", "127.0.0.1", "169.254.169.254", "fd00::1", "::ffff:198.18.0.7", "fe80::1%\x1b[31m")
    followed = ("198.18.0.7", "198.19.255.254", "198.20.0.1")
    for reason, addresses in (("connecting", followed), ("videos.example leads to", inside)):
        for address in addresses:
            resolve(monkeypatch, address)
            with pytest.raises((UnsafeUrl, requests.ConnectionError), match=reason) as raised:
                get(media_session(), LINK)
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
                with pytest.raises(UnsafeUrl, match="not a public address"):
                    get(session, "https://0x7f.0.0.1/a.mp4")
                sent = [(each.method, each.target) for each in proxy.received]
                assert sent == [("CONNECT", "videos.example:443")] * (name != "HTTP_PROXY"), name
    assert set(resolved) == {"127.0.0.1"}
    with pytest.raises(UnsafeUrl, match=r"videos\.example leads to 127\.0\.0\.1"):
        get(session, LINK)


def test_a_redirect_is_judged_like_a_link_and_trust_ends_with_its_origin(server: Loopback) -> None:
    with Loopback(always(reply())) as other:
        rows = {
            "not a public address": ("https://10.0.0.1/a.mp4", f"https://127.1:{other.port}/a.mp4"),
            "user name": ("https://user:pass@videos.example/a.mp4",),
            "only https": (
                other.origin,
                f"http://localhost:{server.port}/",
                f"{server.origin}@evil.example/",
                "file:///a",
            ),
            "parse|valid": (f"{server.origin}.evil.example/",),  # nothing but digits is a port
        }
        for problem, location in ((problem, link) for problem, links in rows.items() for link in links):
            server.received.clear()
            server.answer = always(reply(302, headers={"Location": location}))
            for link in (location, f"{server.origin}/a.mp4"):
                with pytest.raises((UnsafeUrl, ValueError), match=problem):
                    get(media_session(server.origin), link)
            assert len(server.received) == 1, location
        assert other.connections == 0
    server.answer = always(reply(302, headers={"Location": "/a.mp4"}))
    with pytest.raises(requests.TooManyRedirects):
        get(media_session(server.origin), f"{server.origin}/a.mp4")
    assert len(server.received) == 1 + MAX_REDIRECTS + 1


@example("https://\u2460\u2461\u2466.\u2460/a.mp4")
@example("https://127.0.0.1\\@videos.example/")
@example(LINK)
@given(LINKS)
def test_every_link_is_refused_or_its_own_host_is_asked_for(link: str) -> None:
    with pytest.MonkeyPatch.context() as patched, suppress(UnsafeUrl, requests.RequestException, ValueError):
        patched.setattr(socket, "getaddrinfo", resolving := Mock(side_effect=OSError))
        get(media_session(), link)
    names = [call.args[0] for call in resolving.call_args_list]
    assert link != LINK or set(names) == {"videos.example"}, "so that this test can fail"
    for name in names:
        # A name is judged by the address that it turns out to have; a number is one, and judged at once.
        with suppress(ValueError):
            assert is_public(str(ipaddress.ip_address(name.partition("%")[0])))
