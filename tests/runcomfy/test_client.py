"""The five calls: which method, path, query and body each sends, and whose job an error is about."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from nodes.runcomfy.client import RunComfy
from nodes.runcomfy.errors import Charge, InvalidResponse, RateLimited, ReadError, RunComfyError, ServerError
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.responses import CancelOutcome, JobState
from nodes.runcomfy.transport import ApiRequest, ApiResponse

MODEL = "/v1/models/bytedance/seedance-1-0/pro/fast/text-to-video"
REQUEST = GenerationRequest("A boat", "720p", "1:1", 2, 7)


class Wire:
    """A transport that notes what it is given and answers, or fails, as told."""

    def __init__(self, answer: object, status: int = 200) -> None:
        self._answer = answer
        self._status = status
        self.calls: list[ApiRequest] = []

    def send(self, call: ApiRequest) -> ApiResponse:
        self.calls.append(call)
        if isinstance(self._answer, RunComfyError):
            raise self._answer
        return ApiResponse(self._status, {}, json.dumps(self._answer).encode())


def client(wire: Wire) -> RunComfy:
    return RunComfy(wire, "THE_SOURCE")


def test_submit() -> None:
    wire = Wire({"request_id": "job-1"})
    assert client(wire).submit(REQUEST) == "job-1"
    body: dict[str, str | int] = {"text": "A boat", "resolution": "720p", "ratio": "1:1", "duration": 2, "seed": 7}
    assert wire.calls == [ApiRequest("POST", MODEL, {}, body)]


def test_status() -> None:
    wire = Wire({"status": "in_queue", "queue_position": 2})
    assert client(wire).status("job-1").queue_position == 2
    assert wire.calls == [ApiRequest("GET", "/v1/requests/job-1/status")]


def test_result_asks_for_the_cost_too() -> None:
    wire = Wire({"status": "succeeded", "output": "https://videos.example/a.mp4", "cost": 0.03})
    result = client(wire).result("job-1")
    assert (result.state, result.videos, result.cost) == (JobState.SUCCEEDED, ("https://videos.example/a.mp4",), 0.03)
    assert wire.calls == [ApiRequest("GET", "/v1/requests/job-1/result", {"include_cost": "true"})]


def test_cancel() -> None:
    wire = Wire({"outcome": "not_cancellable"}, 202)
    assert client(wire).cancel("job-1") is CancelOutcome.NOT_CANCELLABLE
    assert wire.calls == [ApiRequest("POST", "/v1/requests/job-1/cancel", repeatable=True)]


def test_price() -> None:
    wire = Wire({"base_price_usd": 0.02})
    assert client(wire).model_info().base_price_usd == 0.02
    assert wire.calls == [ApiRequest("GET", MODEL)]


@pytest.mark.parametrize("failure", [ReadError("time-out"), ServerError(503, ""), InvalidResponse("it is too long")])
def test_an_unclear_submit_sends_the_user_to_look_before_running_again(failure: RunComfyError) -> None:
    with pytest.raises(type(failure), match=r"It may have been charged\. .*Generations page") as raised:
        client(Wire(failure)).submit(REQUEST)
    assert not raised.value.not_accepted


def test_a_submit_whose_answer_has_no_id_is_unclear() -> None:
    with pytest.raises(InvalidResponse, match=r"It may have been charged\. .*Generations page"):
        client(Wire({"status": "in_queue"})).submit(REQUEST)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422, 429])
def test_a_refused_submit_was_not_charged(status: int) -> None:
    with pytest.raises(RunComfyError) as raised:
        client(Wire({}, status)).submit(REQUEST)
    assert raised.value.not_accepted
    assert raised.value.charge is Charge.NOTHING


CALLS: list[Callable[[RunComfy], object]] = [
    lambda client: client.status("job-1"),
    lambda client: client.result("job-1"),
    lambda client: client.cancel("job-1"),
]


@pytest.mark.parametrize("wire", [Wire(RateLimited(None)), Wire({}, 503), Wire({}, 404), Wire({}, 200), Wire([], 200)])
@pytest.mark.parametrize("call", CALLS, ids=["status", "result", "cancel"])
def test_every_error_about_a_job_names_it(call: Callable[[RunComfy], object], wire: Wire) -> None:
    with pytest.raises(RunComfyError, match=r"already accepted the job.*Request id: job-1\.$"):
        call(client(wire))


@pytest.mark.parametrize("method", ["submit", "price"])
def test_an_unknown_model_is_named(method: str) -> None:
    other = RunComfy(Wire({"code": 400001}, 400), "THE_SOURCE", model="some/other-model")
    with pytest.raises(RunComfyError, match="some/other-model"):
        other.submit(REQUEST) if method == "submit" else other.model_info()
