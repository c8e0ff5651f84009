"""A transfer that broke off goes on where it ended, and only where that is certain to give the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.video.errors import DownloadInterrupted
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


def test_without_a_strong_validator_it_starts_again(server: Loopback, target: Path, data: bytes) -> None:
    for validator in ({}, {"ETag": 'W/"weak"'}):
        fetched = breaks_off(server, target, half_of(data, validator))
        server.answer = ranged(data, validator)
        attempt(fetched, server)
        assert "range" not in server.received[-1].headers
        assert target.read_bytes() == data


def test_a_server_that_ignores_the_range_is_read_from_the_start(server: Loopback, target: Path, data: bytes) -> None:
    fetched = breaks_off(server, target, half_of(data))
    server.answer = always(reply(200, data, ETAG))
    attempt(fetched, server)
    assert target.read_bytes() == data


def test_a_shorter_file_in_its_place_leaves_nothing_of_the_first(server: Loopback, target: Path, data: bytes) -> None:
    padded = data + bytes(50_000)
    fetched = breaks_off(server, target, half_of(bytes(4) + b"ftyp" + b"\1" * (2 * len(padded))))
    server.answer = ranged(data, {"ETag": '"two"'})
    attempt(fetched, server)
    assert target.read_bytes() == data


def test_another_part_than_was_asked_for_is_not_put_together(server: Loopback, target: Path, data: bytes) -> None:
    fetched = breaks_off(server, target, half_of(data))
    span = {"Content-Range": f"bytes 10-{len(data) - 1}/{len(data)}"}
    server.answer = always(reply(206, data[10:], ETAG | span))
    with pytest.raises(DownloadInterrupted, match="another part"):
        attempt(fetched, server)
    assert files(target) == []
    server.answer = ranged(data, ETAG)
    attempt(fetched, server)
    assert "range" not in server.received[2].headers
    assert target.read_bytes() == data


def test_a_range_that_cannot_be_satisfied_starts_again(server: Loopback, target: Path, data: bytes) -> None:
    fetched = breaks_off(server, target, half_of(data))
    server.answer = always(reply(416))
    with pytest.raises(DownloadInterrupted, match="416"):
        attempt(fetched, server)
    server.answer = always(reply(200, data))
    attempt(fetched, server)
    assert target.read_bytes() == data
