"""A transfer that broke off goes on where it ended, and only where that is certain to give the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.video.errors import DownloadInterrupted, VideoError
from tests.support.loopback_server import Hangup, Loopback, Reset, always, reply
from tests.support.transfers import ETAG, attempt, breaks_off, files, half_of, ranged


def test_an_older_file_of_that_name_is_replaced_only_by_a_whole_one(
    server: Loopback, target: Path, data: bytes
) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    fetched = breaks_off(server, target, half_of(data))
    assert target.read_bytes() == b"old"
    server.answer = ranged(data, ETAG)
    attempt(fetched, server)
    assert target.read_bytes() == data


def test_a_broken_transfer_goes_on_where_it_ended(server: Loopback, target: Path, data: bytes) -> None:
    for how in (Hangup, Reset):
        for validator in (ETAG, {"Last-Modified": "Wed, 21 Oct 2026 07:28:00 GMT"}):
            target.unlink(missing_ok=True)
            fetched = breaks_off(server, target, half_of(data, validator), how)
            assert not target.exists()
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
        target.unlink()


def test_a_wrong_part_or_none_is_not_put_together_and_it_starts_again(
    server: Loopback, target: Path, data: bytes
) -> None:
    span = {"Content-Range": f"bytes 10-{len(data) - 1}/{len(data)}"}
    for words, answer in {"another part": reply(206, data[10:], ETAG | span), "416": reply(416)}.items():
        fetched = breaks_off(server, target, half_of(data))
        server.answer = always(answer)
        with pytest.raises(VideoError, match=words) as raised:
            attempt(fetched, server)
        assert (type(raised.value), files(target)) == (DownloadInterrupted, []), words
        server.answer = ranged(data, ETAG)
        attempt(fetched, server)
        assert "range" not in server.received[-1].headers, words
        assert target.read_bytes() == data, words
        target.unlink()
