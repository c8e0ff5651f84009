"""The files, as browsers and resuming downloads fetch them."""

from __future__ import annotations

import socket

import pytest
import requests

from nodes.rehearsal.media import portion
from tests.support.rehearsal_client import RehearsalClient


def test_a_video_is_fetched_whole_without_a_token(filming_desk: RehearsalClient) -> None:
    output = filming_desk.finish(filming_desk.submit())["output"]
    assert isinstance(output, dict)
    reply = requests.get(output["video"], timeout=30)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "video/mp4"
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert int(reply.headers["Content-Length"]) == len(reply.content)
    assert reply.content[4:8] == b"ftyp"


def test_a_range_continues_where_another_ended(client: RehearsalClient) -> None:
    job = client.submit()
    client.finish(job)
    path = f"/media/{job}.mp4"
    whole = client.call("GET", path, token=None)
    first = client.call("GET", path, headers={"Range": "bytes=0-999"})
    rest = client.call("GET", path, headers={"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]})
    size = len(whole.content)
    assert (first.status_code, first.headers["Content-Range"]) == (206, f"bytes 0-999/{size}")
    assert (rest.status_code, rest.headers["Content-Range"]) == (206, f"bytes 1000-{size - 1}/{size}")
    assert first.content + rest.content == whole.content


def test_a_range_sends_not_one_byte_more(client: RehearsalClient) -> None:
    job = client.submit()
    client.finish(job)
    # By hand, because clients read no further than the length that they are told.
    with socket.create_connection(("127.0.0.1", int(client.service.origin.rsplit(":", 1)[1])), timeout=30) as line:
        line.sendall(f"GET /media/{job}.mp4 HTTP/1.1\r\nRange: bytes=4-7\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert answer.partition(b"\r\n\r\n")[2] == b"ftyp"


def test_head_tells_the_same_without_the_bytes(client: RehearsalClient) -> None:
    job = client.submit()
    client.finish(job)
    head, get = (client.call(method, f"/media/{job}.mp4") for method in ("HEAD", "GET"))
    assert head.content == b""
    for name in ("Content-Length", "ETag", "Content-Type"):
        assert head.headers[name] == get.headers[name]


def test_a_known_file_is_not_sent_again(client: RehearsalClient) -> None:
    job = client.submit()
    client.finish(job)
    etag = client.call("HEAD", f"/media/{job}.mp4").headers["ETag"]
    reply = client.call("GET", f"/media/{job}.mp4", headers={"If-None-Match": etag})
    assert (reply.status_code, reply.content) == (304, b"")


def test_a_video_is_404_before_the_job_ended(client: RehearsalClient) -> None:
    job = client.submit()
    assert client.service.wait_until_rendered()
    assert client.call("GET", f"/media/{job}.mp4").status_code == 404


def test_equal_requests_give_equal_bytes_and_others_do_not(filming_desk: RehearsalClient) -> None:
    client = filming_desk
    bodies = [{"text": "a", "duration": 2, "seed": seed} for seed in (1, 1, 2)]
    jobs = [client.submit(body) for body in bodies]
    client.finish(jobs[0])
    one, same, other = (client.call("GET", f"/media/{job}.mp4") for job in jobs)
    assert one.content == same.content
    assert one.headers["ETag"] == same.headers["ETag"]
    assert one.content != other.content
    assert one.headers["ETag"] != other.headers["ETag"]


@pytest.mark.parametrize(
    ("wanted", "status", "start", "length"),
    [
        ("", 200, 0, 100),
        ("bytes=0-", 206, 0, 100),
        ("bytes=10-19", 206, 10, 10),
        ("bytes=90-1000", 206, 90, 10),
        ("bytes=99-99", 206, 99, 1),
        ("bytes=-30", 206, 70, 30),
        ("bytes=-1000", 206, 0, 100),
        ("bytes=100-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=20-10", 200, 0, 100),
        ("bytes=-", 200, 0, 100),
        ("bytes=0-1,5-6", 200, 0, 100),
        ("items=0-1", 200, 0, 100),
        ("bytes=²-3", 200, 0, 100),
    ],
)
def test_ranges(wanted: str, status: int, start: int, length: int) -> None:
    part = portion(100, '"tag"', wanted, "", "")
    assert (part.status, part.start, part.length) == (status, start, length)
    ranges = {206: f"bytes {start}-{start + length - 1}/100", 416: "bytes */100"}
    assert part.headers.get("Content-Range") == ranges.get(status)


def test_a_range_of_a_file_that_changed_gives_the_whole_new_one() -> None:
    assert portion(100, '"new"', "bytes=50-", '"old"', "").status == 200
    assert portion(100, '"new"', "bytes=50-", '"new"', "").status == 206


@pytest.mark.parametrize(
    ("known", "status"), [('"tag"', 304), ('W/"tag"', 304), ('"a", "tag"', 304), ("*", 304), ('"b"', 200)]
)
def test_entity_tags(known: str, status: int) -> None:
    assert portion(100, '"tag"', "", "", known).status == status
