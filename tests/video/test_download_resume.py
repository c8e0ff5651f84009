"""A transfer that broke off goes on where it ended, and only where that is certain to give the same file."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from nodes.video.errors import DownloadInterrupted
from tests.support.loopback_server import Hangup, Loopback, Reset, always, reply
from tests.support.transfers import ETAG, attempt, breaks_off, files, half_of, ranged


def test_a_broken_transfer_goes_on_where_it_ended_and_replaces_an_older_file_only_when_it_is_whole(
    server: Loopback, target: Path, data: bytes
) -> None:
    target.parent.mkdir()
    for how, validator in product((Hangup, Reset), (ETAG, {"Last-Modified": "Wed, 21 Oct 2026 07:28:00 GMT"})):
        target.write_bytes(b"old")
        fetched = breaks_off(server, target, half_of(data, validator), how)
        assert target.read_bytes() == b"old"
        kept = fetched.received
        assert kept == len(data) // 2 or how is Reset
        server.answer = ranged(data, validator)
        attempt(fetched, server)
        assert target.read_bytes() == data
        if kept:
            again = server.received[-1].headers
            assert (again["range"], again["if-range"]) == (f"bytes={kept}-", *validator.values())


def test_where_that_is_not_certain_it_starts_again(server: Loopback, target: Path, data: bytes) -> None:
    weak = {"ETag": 'W/"weak"'}
    longer = half_of(bytes(4) + b"ftyp" + b"\1" * (2 * len(data) + 100_000))
    rows = {
        "no validator": (half_of(data, {}), ranged(data, {}), False),
        "a weak validator": (half_of(data, weak), ranged(data, weak), False),
        "a server that ignores the range": (half_of(data), always(reply(200, data, ETAG)), True),
        "a shorter file in its place": (longer, ranged(data, {"ETag": '"two"'}), True),
    }
    for what, (begun, answer, is_part_asked_for) in rows.items():
        fetched = breaks_off(server, target, begun)
        server.answer = answer
        attempt(fetched, server)
        assert ("range" in server.received[-1].headers) == is_part_asked_for, what
        assert target.read_bytes() == data, what


def test_a_wrong_part_or_none_is_not_put_together_and_it_starts_again(
    server: Loopback, target: Path, data: bytes
) -> None:
    span = {"Content-Range": f"bytes 10-{len(data) - 1}/{len(data)}"}
    for words, answer in {"another part": reply(206, data[10:], ETAG | span), "416": reply(416)}.items():
        fetched = breaks_off(server, target, half_of(data))
        server.answer = always(answer)
        with pytest.raises(DownloadInterrupted, match=words):
            attempt(fetched, server)
        assert files(target) == [], words
        server.answer = ranged(data, ETAG)
        attempt(fetched, server)
        assert "range" not in server.received[-1].headers, words
        assert target.read_bytes() == data, words
        target.unlink()


def test_two_downloads_to_one_name_do_not_meet(server: Loopback, target: Path, data: bytes) -> None:
    first, second = breaks_off(server, target, half_of(data)), breaks_off(server, target, half_of(data))
    assert [name.endswith(".mp4") for name in files(target)] == [False, False]
    first.discard()
    second.discard()
    assert files(target) == []
