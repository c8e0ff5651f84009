"""The five calls of the client, and a transport that gives one answer to all of them."""

from __future__ import annotations

from collections.abc import Callable

from nodes.runcomfy.client import ApiRequest, RunComfy
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.responses import ApiResponse

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

    def send(self, request: ApiRequest, /, *, before_first_byte: Callable[[], None] | None = None) -> ApiResponse:
        if before_first_byte:
            before_first_byte()
        self.sent.append(request)
        return self._answer
