"""What the submit call accepts and what it refuses."""

from __future__ import annotations

from nodes.rehearsal import VideoRequest
from tests.support.rehearsal_client import MODEL_PATH, RehearsalClient

# Restated, so that a slip in the table shows.
PUBLISHED = {
    "480p": "864x480 736x544 640x640 544x736 480x864 960x416",
    "720p": "1248x704 1120x832 960x960 832x1120 704x1248 1504x640",
    "1080p": "1920x1088 1664x1248 1440x1440 1248x1664 1088x1920 2176x928",
}
RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")


def test_sizes_and_lengths_are_the_published_ones() -> None:
    for resolution, sizes in PUBLISHED.items():
        for ratio, size in zip(RATIOS, sizes.split(), strict=True):
            request = VideoRequest.model_validate({"text": "x", "resolution": resolution, "ratio": ratio})
            assert "x".join(map(str, request.size)) == size, (resolution, ratio)
    assert [VideoRequest(text="x", duration=seconds).frame_count for seconds in (2, 5, 12)] == [49, 121, 289]


def test_what_is_accepted_and_with_which_defaults(client: RehearsalClient) -> None:
    defaults = {"text": "x", "resolution": "480p", "ratio": "16:9", "duration": 5, "seed": 38810827}
    bodies: list[dict[str, object]] = [{"text": "Grüße 🤖", "seed": 7, "unheard_of": [1, {"a": None}]}, {"text": ""}]
    bodies += [{"text": "x", "seed": seed} for seed in (0, -1, 2**31 - 1, 10**30)]
    for body in bodies:
        job = client.submit(body)
        client.cancel(job)
        expected = defaults | {name: value for name, value in body.items() if name in defaults}
        assert client.service.submissions[-1].input == expected


def test_what_the_schema_does_not_allow_is_422_and_names_the_fields(client: RehearsalClient) -> None:
    for body, *fields in (
        ({}, "text"),
        ({"text": None}, "text"),
        ({"text": 5}, "text"),
        ({"text": ["x"]}, "text"),
        ({"text": "x", "resolution": "4k"}, "resolution"),
        ({"text": "x", "resolution": ["480p"]}, "resolution"),
        ({"text": "x", "resolution": None}, "resolution"),
        ({"text": "x", "ratio": "2:1"}, "ratio"),
        ({"text": "x", "duration": 1}, "duration"),
        ({"text": "x", "duration": 13}, "duration"),
        ({"text": "x", "duration": "5"}, "duration"),
        ({"text": "x", "duration": 5.0}, "duration"),
        ({"text": "x", "duration": True}, "duration"),
        ({"text": "x", "seed": True}, "seed"),
        ({"text": "x", "seed": 1.5}, "seed"),
        ({"text": "x", "seed": "1"}, "seed"),
        ({"ratio": "1:2", "seed": None}, "text", "ratio", "seed"),
    ):
        reply = client.call("POST", MODEL_PATH, body=body)
        assert reply.status_code == 422, body
        assert [problem["loc"] for problem in reply.json()["detail"]] == [["body", field] for field in fields], body
        assert all(problem["msg"] for problem in reply.json()["detail"]), body
    assert client.service.submissions == ()


def test_a_body_that_is_no_json_object_is_422(client: RehearsalClient) -> None:
    for data in (b"", b"{", b"[]", b'"text"', b"\xff\xfe\xfd", b"[" * 5000, b'{"seed": ' + b"9" * 5000):
        reply = client.call("POST", MODEL_PATH, data=data)
        assert reply.status_code == 422, data
        assert reply.json()["detail"][0]["loc"] == ["body"], data
