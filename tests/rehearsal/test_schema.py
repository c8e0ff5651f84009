"""What the submit call accepts and what it refuses."""

from __future__ import annotations

import pytest

from nodes.rehearsal.schema import read_body
from tests.support.rehearsal_client import MODEL_PATH, RehearsalClient


def test_a_text_alone_is_enough_and_gets_the_defaults() -> None:
    scene, given = read_body(b'{"text": "x"}')
    assert (scene.text, scene.resolution, scene.ratio, scene.duration, scene.seed) == ("x", "480p", "16:9", 5, 38810827)
    assert given == {"text": "x"}


def test_the_books_show_the_input_as_it_came(client: RehearsalClient) -> None:
    body = {"text": "Grüße 🤖", "seed": 7, "unheard_of": [1, {"a": None}]}
    client.submit(body)
    (submission,) = client.service.submissions
    assert submission.input == body
    assert submission.seconds == 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
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
    ],
)
def test_what_the_schema_does_not_allow_is_422_and_names_the_field(
    client: RehearsalClient, body: dict[str, object], field: str
) -> None:
    reply = client.call("POST", MODEL_PATH, body=body)
    assert reply.status_code == 422
    (problem,) = reply.json()["detail"]
    assert problem["loc"] == ["body", field]
    assert problem["msg"]
    assert client.service.submissions == ()


def test_every_wrong_field_is_named(client: RehearsalClient) -> None:
    reply = client.call("POST", MODEL_PATH, body={"ratio": "1:2", "seed": None})
    assert [problem["loc"][1] for problem in reply.json()["detail"]] == ["text", "ratio", "seed"]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'"text"', b"\xff\xfe\xfd", b"[" * 5000, b'{"seed": ' + b"9" * 5000]
)
def test_a_body_that_is_no_json_object_is_422(client: RehearsalClient, data: bytes) -> None:
    reply = client.call("POST", MODEL_PATH, data=data)
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["body"]


@pytest.mark.parametrize("seed", [0, -1, 2**31 - 1, 10**30])
def test_any_integer_is_a_seed(client: RehearsalClient, seed: int) -> None:
    client.submit({"text": "x", "duration": 2, "seed": seed})
    assert client.service.submissions[0].input["seed"] == seed
