"""The videos, as browsers and resuming downloads fetch them."""

from __future__ import annotations

import requests

from tests.support.rehearsal_client import RehearsalClient


def finished(client: RehearsalClient) -> str:
    job = client.submit()
    client.finish(job)
    return job


def test_a_video_is_fetched_whole_without_a_token(client_of_real_videos: RehearsalClient) -> None:
    output = client_of_real_videos.result(finished(client_of_real_videos))["output"]
    assert isinstance(output, dict)
    reply = requests.get(output["video"], timeout=30)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "video/mp4"
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert int(reply.headers["Content-Length"]) == len(reply.content)
    assert reply.content[4:8] == b"ftyp"


def test_ranges(client: RehearsalClient) -> None:
    job = finished(client)
    whole = client.fetch_video(job).content
    size = len(whole)
    for wanted, status, start, end in (
        ("bytes=0-", 206, 0, size),
        ("bytes=10-19", 206, 10, 20),
        (f"bytes={size - 10}-{size * 2}", 206, size - 10, size),
        (f"bytes={size - 1}-{size - 1}", 206, size - 1, size),
        ("bytes=-30", 206, size - 30, size),
        (f"bytes=-{2 * size}", 206, 0, size),
        (f"bytes={size}-", 416, 0, 0),
        ("bytes=20-10", 200, 0, size),
        ("bytes=-", 200, 0, size),
        ("bytes=0-1,5-6", 200, 0, size),
        ("items=0-1", 200, 0, size),
    ):
        reply = client.fetch_video(job, Range=wanted)
        ranges = {206: f"bytes {start}-{end - 1}/{size}", 416: f"bytes */{size}"}
        assert (reply.status_code, reply.headers.get("Content-Range")) == (status, ranges.get(status)), wanted
        assert reply.content == whole[start:end], wanted


def test_a_range_sends_not_one_byte_more(client: RehearsalClient) -> None:
    """By hand, because clients read no further than the length that they are told."""
    request = f"GET /media/{finished(client)}.mp4 HTTP/1.1\r\nHost: x\r\nRange: bytes=4-7\r\nConnection: close\r\n\r\n"
    assert client.say(request.encode()).partition(b"\r\n\r\n")[2] == b"ftyp"


def test_entity_tags(client: RehearsalClient) -> None:
    job = finished(client)
    tag = client.fetch_video(job).headers["ETag"]
    for headers, status in (
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": f"W/{tag}"}, 304),
        ({"If-None-Match": f'"a", {tag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"b"'}, 200),
        ({"Range": "bytes=5-", "If-Range": tag}, 206),
        ({"Range": "bytes=5-", "If-Range": '"another"'}, 200),
    ):
        reply = client.fetch_video(job, **headers)
        assert reply.status_code == status, headers
        assert bool(reply.content) == (status != 304), headers


def test_head_answers_the_same_without_the_bytes(client: RehearsalClient) -> None:
    job = finished(client)
    head, get = (client.call(method, f"/media/{job}.mp4") for method in ("HEAD", "GET"))
    assert head.content == b""
    for name in ("Content-Length", "ETag", "Content-Type"):
        assert head.headers[name] == get.headers[name], name
