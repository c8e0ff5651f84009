"""The five calls of the client, a transport that gives one answer to all of them, and one that leads to a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from nodes.runcomfy.client import ApiRequest, HttpTransport, Limits, RunComfy
from nodes.runcomfy.errors import RunComfyError
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.responses import ApiResponse
from nodes.runcomfy.token import Token
from nodes.texts import Text
from tests.support.loopback_server import Loopback

SECRET = "s3cr3t/0123456789+abc=="
TOKEN = Token(SECRET, "RUNCOMFY_API_TOKEN")
GET = ApiRequest("GET", "/v1/things")
POST = ApiRequest("POST", "/v1/things", body={"text": "grün 🎬", "seed": 7})
BOTH = (GET, POST)
REQUEST = GenerationRequest("A boat", "720p", "1:1", 2, 7)
CALLS: dict[str, Callable[[RunComfy], object]] = {
    "submit": lambda client: client.submit(REQUEST),
    "status": lambda client: client.status("job-1"),
    "result": lambda client: client.result("job-1"),
    "cancel": lambda client: client.cancel("job-1"),
    "model": lambda client: client.model_info(),
}


class Wire:
    """Notes what it is given."""

    def __init__(self, answer: ApiResponse) -> None:
        self._answer = answer
        self.sent: list[ApiRequest] = []

    def send(self, request: ApiRequest, /) -> ApiResponse:
        if request.before_first_byte:
            request.before_first_byte()
        self.sent.append(request)
        return self._answer


def transport(server: Loopback, limits: Limits | None = None) -> HttpTransport:
    return HttpTransport(server.origin, TOKEN, limits or Limits())


def answered(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> RunComfy:
    """A client whose calls are all answered with a body: bytes as they are, all else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RunComfy(Wire(ApiResponse(status, headers or {}, content)), "THE_SOURCE")


def error_of(call: str, body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> RunComfyError:
    """What a call raises that is answered so."""
    with pytest.raises(RunComfyError) as raised:
        CALLS[call](answered(body, status, headers))
    return raised.value


def key_of(error: RunComfyError) -> str:
    """The key of what it says."""
    assert isinstance(error.message, Text)
    return error.message.key.removeprefix("errors.").removesuffix(".message")
