"""Whatever form an address or a name takes, no link leads into a network that is not the public one."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from nodes.video.errors import UnsafeUrl
from nodes.video.url_policy import check_url, is_public, media_session
from tests.support.transfers import get

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


PLAIN = "https://videos.example/a.mp4"


@contextmanager
def asked() -> Iterator[list[str]]:
    """The names that are about to be connected to; nothing is connected to at all."""
    names: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> list[object]:
        names.append(host)
        raise OSError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve)
        yield names


@example("https://\u2460\u2461\u2466.\u2460/a.mp4")
@example("https://127.0.0.1\\@videos.example/")
@example(PLAIN)
@given(LINKS)
def test_every_link_is_refused_or_its_own_host_is_asked_for(link: str) -> None:
    with asked() as names:
        with suppress(UnsafeUrl, requests.RequestException, ValueError):
            check_url(link)
            get(media_session(), link)
        if link == PLAIN:
            assert set(names) == {"videos.example"}, "so that this test can fail"
    for name in names:
        # A name is judged by the address that it turns out to have; a number is one, and judged at once.
        with suppress(ValueError):
            assert is_public(str(ipaddress.ip_address(name.partition("%")[0])))
