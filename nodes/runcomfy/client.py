"""The five calls of the Model API, typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .errors import Charge, RunComfyError
from .request import MODEL_ID, GenerationRequest
from .responses import (
    CancelOutcome,
    JobResult,
    JobStatus,
    ModelInfo,
    error_from,
    read_cancel,
    read_model,
    read_result,
    read_status,
    read_submission,
)
from .transport import ApiRequest, ApiResponse, Transport

T = TypeVar("T")


class RunComfy:
    """The service, for one account. Every method is one HTTP exchange and raises `RunComfyError`."""

    def __init__(self, transport: Transport, token_source: str, model: str = MODEL_ID) -> None:
        self._transport = transport
        self._token_source = token_source
        self.model = model

    def submit(self, request: GenerationRequest, before_first_byte: Callable[[], None] | None = None) -> str:
        """Ask for a video; **this is what costs money**. Returns the request id.

        An error whose `not_accepted` is false leaves open whether the service took the job.
        """
        try:
            return read_submission(
                self._send(
                    ApiRequest("POST", f"/v1/models/{self.model}", body=request.body()), self.model, before_first_byte
                )
            )
        except RunComfyError as error:
            if not error.not_accepted:
                error.advice = "Look for it on RunComfy's Generations page before running again."
            raise

    def status(self, request_id: str) -> JobStatus:
        """Where the job stands."""
        return self._about(request_id, ApiRequest("GET", f"/v1/requests/{request_id}/status"), read_status)

    def result(self, request_id: str) -> JobResult:
        """How the job ended and where its videos are."""
        query = {"include_cost": "true"}
        return self._about(request_id, ApiRequest("GET", f"/v1/requests/{request_id}/result", query), read_result)

    def cancel(self, request_id: str) -> CancelOutcome:
        """Take a job back out of the queue; one that is running already cannot be."""
        call = ApiRequest("POST", f"/v1/requests/{request_id}/cancel", repeatable=True)
        return self._about(request_id, call, read_cancel)

    def model_info(self) -> ModelInfo:
        """What the model costs, as far as the service tells. Also a free check of the token."""
        try:
            return read_model(self._send(ApiRequest("GET", f"/v1/models/{self.model}"), self.model))
        except RunComfyError as error:
            error.charge = Charge.NOTHING
            raise

    def _about(self, request_id: str, call: ApiRequest, read: Callable[[ApiResponse], T]) -> T:
        try:
            return read(self._send(call, request_id))
        except RunComfyError as error:
            error.about(request_id)
            raise

    def _send(self, call: ApiRequest, subject: str, before_first_byte: Callable[[], None] | None = None) -> ApiResponse:
        response = self._transport.send(call, before_first_byte=before_first_byte)
        error = error_from(response, subject, self._token_source)
        if error:
            raise error
        return response
