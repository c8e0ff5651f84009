"""A transfer that broke off goes on where it ended, and only where that is certain to give the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.video.errors import (
    DownloadInterrupted,
)
from tests.support.loopback_server import Hangup, Loopback, Reset, always, reply
from tests.support.transfers import ETAG, attempt, download, files, half_then, ranged


def test_an_older_file_of_that_name_is_replaced_only_by_a_whole_one(
    server: Loopback, target: Path, data: bytes
) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    server.answer = lambda _: half_then(Hangup, data, ETAG)
    fetched = download(server, target)
    with pytest.raises(DownloadInterrupted):
        attempt(fetched, server)
    assert target.read_bytes() == b"old"
    server.answer = ranged(data, ETAG)
    attempt(fetched, server)
    assert target.read_bytes() == data


@pytest.mark.parametrize("how", [Hangup, Reset])
@pytest.mark.parametrize("validator", [ETAG, {"Last-Modified": "Wed, 21 Oct 2026 07:28:00 GMT"}])
def test_a_broken_transfer_goes_on_where_it_ended(
    server: Loopback, target: Path, data: bytes, how: type[Exception], validator: dict[str, str]
) -> None:
    fetched = download(server, target)
    server.answer = lambda _: half_then(how, data, validator)
    with pytest.raises(DownloadInterrupted):
        attempt(fetched, server)
    assert not target.exists()
    kept = fetched.received
    server.answer = ranged(data, validator)
    attempt(fetched, server)
    assert target.read_bytes() == data
    if how is Hangup:
        assert kept == len(data) // 2
    if kept:
        again = server.received[1].headers
        assert (again["range"], again["if-range"]) == (f"bytes={kept}-", *validator.values())


@pytest.mark.parametrize("validator", [{}, {"ETag": 'W/"weak"'}])
def test_without_a_strong_validator_it_starts_again(
    server: Loopback, target: Path, data: bytes, validator: dict[str, str]
) -> None:
    fetched = download(server, target)
    server.answer = lambda _: half_then(Hangup, data, validator)
    with pytest.raises(DownloadInterrupted):
        attempt(fetched, server)
    server.answer = ranged(data, validator)
    attempt(fetched, server)
    assert "range" not in server.received[1].headers
    assert target.read_bytes() == data


def test_a_server_that_ignores_the_range_is_read_from_the_start(server: Loopback, target: Path, data: bytes) -> None:
    fetched = download(server, target)
    server.answer = lambda _: half_then(Hangup, data, ETAG)
    with pytest.raises(DownloadInterrupted):
        attempt(fetched, server)
    server.answer = always(reply(200, data, ETAG))
    attempt(fetched, server)
    assert target.read_bytes() == data


def test_a_shorter_file_in_its_place_leaves_nothing_of_the_first(server: Loopback, target: Path, data: bytes) -> None:
    padded = data + bytes(50_000)
    fetched = download(server, target)
    server.answer = lambda _: half_then(Hangup, bytes(4) + b"ftyp" + b"\1" * (2 * len(padded)), ETAG)
    with pytest.raises(DownloadInterrupted):
        attempt(fetched, server)
    server.answer = ranged(data, {"ETag": '"two"'})
    attempt(fetched, server)
    assert target.read_bytes() == data


def test_another_part_than_was_asked_for_is_not_put_together(server: Loopback, target: Path, data: bytes) -> None:
    fetched = download(server, target)
    server.answer = lambda _: half_then(Hangup, data, ETAG)
    with pytest.raises(DownloadInterrupted):
        attempt(fetched, server)
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
    fetched = download(server, target)
    server.answer = lambda _: half_then(Hangup, data, ETAG)
    with pytest.raises(DownloadInterrupted):
        attempt(fetched, server)
    server.answer = always(reply(416))
    with pytest.raises(DownloadInterrupted, match="416"):
        attempt(fetched, server)
    server.answer = always(reply(200, data))
    attempt(fetched, server)
    assert target.read_bytes() == data
