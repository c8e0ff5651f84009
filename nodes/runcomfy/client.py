"""The five calls of the Model API, typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..errors import Charge
from .errors import Subject
from .request import MODEL_ID, GenerationRequest
from .responses import (
    CancelOutcome,
    JobResult,
    JobStatus,
    ModelInfo,
    read_cancel,
    read_model,
    read_result,
    read_status,
    read_submission,
)
from .transport import ApiRequest, ApiResponse, Transport

T = TypeVar("T")


class RunComfy:
    """The service, for one account. Every method is one HTTP exchange and raises `RunComfyError`.

    Those about a job take what a failure means for the money: ``charge``.
    """

    def __init__(self, transport: Transport, token_source: str, model: str = MODEL_ID) -> None:
        self._transport = transport
        self._token_source = token_source
        self.model = model

    def submit(self, request: GenerationRequest, before_first_byte: Callable[[], None] | None = None) -> str:
        """Ask for a video; **this is what costs money**. Returns the request id.

        An error whose `not_accepted` is false leaves open whether the service took the job.

        Args:
            before_first_byte: called when the connection stands, right before the request is sent. What it raises is
                raised here, and nothing is sent.
        """
        look_first = "Look for it on RunComfy's Generations page before running again."
        subject = Subject(self.model, unclear_advice=look_first, token_source=self._token_source)
        call = ApiRequest("POST", f"/v1/models/{self.model}", subject, body=request.body())
        return read_submission(self._transport.send(call, before_first_byte=before_first_byte), subject)

    def status(self, request_id: str, *, charge: Charge = Charge.ACCEPTED) -> JobStatus:
        """Where the job stands."""
        return self._about_job(request_id, charge, "GET", "status", read_status)

    def result(self, request_id: str, *, charge: Charge = Charge.ACCEPTED) -> JobResult:
        """How the job ended and where its videos are."""
        return self._about_job(request_id, charge, "GET", "result", read_result)

    def cancel(self, request_id: str, *, charge: Charge = Charge.ACCEPTED) -> CancelOutcome:
        """Take a job back out of the queue; one that is running already cannot be."""
        return self._about_job(request_id, charge, "POST", "cancel", read_cancel)

    def model_info(self) -> ModelInfo:
        """What the model costs, as far as the service tells. Also a free check of the token."""
        subject = Subject(self.model, charge=Charge.NOTHING, token_source=self._token_source)
        return read_model(self._transport.send(ApiRequest("GET", f"/v1/models/{self.model}", subject)), subject)

    def _about_job(
        self, request_id: str, charge: Charge, method: str, what: str, read: Callable[[ApiResponse, Subject], T]
    ) -> T:
        subject = Subject(request_id, request_id, charge, token_source=self._token_source)
        query = {"include_cost": "true"} if what == "result" else {}
        call = ApiRequest(method, f"/v1/requests/{request_id}/{what}", subject, query, repeatable=True)
        return read(self._transport.send(call), subject)
