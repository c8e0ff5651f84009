"""What the calls of the Model API are answered, accept and refuse."""

from __future__ import annotations

import pytest

from nodes.rehearsal import VideoRequest
from tests.rehearsal.conftest import MODEL_PATH, OWNER, SHORT, STRANGER, RehearsalClient

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ABOUT_A_JOB = (("GET", "status"), ("GET", "result"), ("POST", "cancel"))
# Restated, so that a slip in the table shows.
PUBLISHED = {
    "480p": "864x480 736x544 640x640 544x736 480x864 960x416",
    "720p": "1248x704 1120x832 960x960 832x1120 704x1248 1504x640",
    "1080p": "1920x1088 1664x1248 1440x1440 1248x1664 1088x1920 2176x928",
}
RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")


def test_a_job_goes_through_its_states(client: RehearsalClient) -> None:
    job = client.submit()
    client.render()
    for seconds, status, result in (
        (0, "in_queue", "in_queue"),
        (10, "in_queue", "in_queue"),
        (0.1, "in_progress", "in_progress"),
        (19.9, "in_progress", "in_progress"),
        (0.1, "completed", "succeeded"),
    ):
        client.clock.now += seconds
        assert (client.status(job)["status"], client.result(job)["status"]) == (status, result)
        assert ("queue_position" in client.status(job)) == (status == "in_queue")
        assert ("output" in client.result(job)) == (result == "succeeded")


def test_the_result_of_a_success(client: RehearsalClient) -> None:
    """A video, which is fetched without a token, and what it cost if that is asked for."""
    job = client.submit()
    assert "cost" not in client.result(job, "?include_cost=true"), "before the end"
    assert client.finish(job) == {
        "request_id": job,
        "status": "succeeded",
        "output": {"video": f"{client.service.origin}/media/{job}.mp4"},
    }
    assert client.result(job, "?include_cost=true")["cost"] == pytest.approx(0.04)
    reply = client.fetch_video(job)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "video/mp4")
    assert reply.content[4:8] == b"ftyp"
    assert client.submit() != job, "the same input twice is two jobs"


def test_a_failed_job_is_completed_to_the_status_call_and_failed_to_the_result_call(client: RehearsalClient) -> None:
    client.service.fail_next("The prompt was refused by the content check.")
    job, next_job = client.submit(), client.submit()
    assert "error" not in client.result(job)
    client.finish(job)
    assert client.status(job)["status"] == "completed"
    result = client.result(job, "?include_cost=true")
    assert (result["status"], result["cost"], "output" in result) == ("failed", 0, False)
    assert "The prompt was refused by the content check." in str(result["error"])
    assert client.result(next_job)["status"] == "succeeded"
    assert client.fetch_video(job).status_code == 404


def test_only_a_queued_job_can_be_cancelled(client: RehearsalClient) -> None:
    queued, job = client.submit(), client.submit()
    reply = client.cancel(queued)
    assert (reply.status_code, reply.json()) == (202, {"request_id": queued, "outcome": "cancelled"})
    client.render()
    for seconds, status in ((11, "in_progress"), (60, "completed")):
        client.clock.now += seconds
        reply = client.cancel(job)
        assert (reply.status_code, reply.json()["outcome"]) == (202, "not_cancellable")
        assert client.status(job)["status"] == status
    assert client.cancel(queued).json()["outcome"] == "not_cancellable"
    assert (client.status(queued)["status"], client.result(queued)["status"]) == ("cancelled", "cancelled")
    assert client.fetch_video(queued).status_code == 404


def test_the_model_call_shows_price_and_schema(client: RehearsalClient) -> None:
    answer = client.call("GET", MODEL_PATH).json()
    assert (answer["base_price_usd"], answer["price_unit"]) == (0.02, "second")
    assert answer["input_schema"]["required"] == ["text"]
    fields = {name: (each["type"], each.get("default"), each.get("enum"))
              for name, each in answer["input_schema"]["properties"].items()}  # fmt: skip
    assert fields == {
        "text": ("string", None, None),
        "resolution": ("string", "480p", ["480p", "720p", "1080p"]),
        "ratio": ("string", "16:9", ["16:9", "4:3", "1:1", "3:4", "9:16", "21:9"]),
        "duration": ("integer", 5, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        "seed": ("integer", 38810827, None),
    }


def test_refusals_have_runcomfys_codes(client: RehearsalClient) -> None:
    """For a missing or wrong token, another account's job, and unknown jobs."""
    job, strangers = client.submit(), client.submit(token=STRANGER)
    calls = [("POST", MODEL_PATH), ("GET", MODEL_PATH)]
    calls += [(method, f"/v1/requests/{job}/{call}") for method, call in ABOUT_A_JOB]
    rows = [
        (*call, header, 401, 400004)
        for header in (None, "Bearer", "Bearer ", "Bearer wrong", OWNER, f"Basic {OWNER}")
        for call in calls
    ]
    rows += [
        (method, f"/v1/requests/{request_id}/{call}", f"Bearer {OWNER}", *refusal)
        for request_id, refusal in {
            strangers: (403, 403001),
            **dict.fromkeys((UNKNOWN, "no%20id", "a" * 200), (404, 404001)),
        }.items()
        for method, call in ABOUT_A_JOB
    ]
    for method, path, authorization, status, code in rows:
        body = SHORT if (method, path) == ("POST", MODEL_PATH) else None
        reply = client.call(method, path, body, authorization=authorization)
        assert (reply.status_code, reply.json()["error_code"]) == (status, code), (method, path, authorization)
        assert reply.json()["message"]
    states = [(each.request_id, each.account, each.state.value) for each in client.service.submissions]
    assert states == [(job, 0, "in_queue"), (strangers, 1, "in_queue")]


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
        client.submit(body)
        expected = defaults | {name: value for name, value in body.items() if name in defaults}
        assert client.service.submissions[-1].input == expected


def test_what_the_schema_does_not_allow_is_422_and_names_the_fields(client: RehearsalClient) -> None:
    for body, *fields in (
        ({}, "text"),
        ({"text": None}, "text"),
        ({"text": ["x"]}, "text"),
        ({"text": "x", "resolution": "4k"}, "resolution"),
        ({"text": "x", "resolution": ["480p"]}, "resolution"),
        ({"text": "x", "ratio": "2:1"}, "ratio"),
        ({"text": "x", "duration": 1}, "duration"),
        ({"text": "x", "duration": 13}, "duration"),
        ({"text": "x", "duration": "5"}, "duration"),
        ({"text": "x", "duration": 5.0}, "duration"),
        ({"text": "x", "duration": True}, "duration"),
        ({"text": "x", "seed": 1.5}, "seed"),
        ({"ratio": "1:2", "seed": None}, "text", "ratio", "seed"),
    ):
        reply = client.call("POST", MODEL_PATH, body)
        assert reply.status_code == 422, body
        assert [problem["loc"] for problem in reply.json()["detail"]] == [["body", field] for field in fields], body
        assert all(problem["msg"] for problem in reply.json()["detail"]), body
    for data in (b"", b"{", b"[]", b'"text"', b"\xff\xfe\xfd", b"[" * 5000, b'{"seed": ' + b"9" * 5000):
        reply = client.call("POST", MODEL_PATH, data=data)
        assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body"]), data
    assert client.service.submissions == ()
