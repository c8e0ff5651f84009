"""RunComfy's Model API over HTTP: its five calls, and the transport that sends each as one authenticated request."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from ..errors import Charge, SeedanceError, StopRequested
from ..http_client import LimitedAdapter, Session, failure_reason
from ..http_exchange import Exchange, ResponseTooLarge
from .errors import NO_CALL, ConnectError, InvalidResponse, ReadError, Subject
from .request import MODEL_ID, GenerationRequest
from .responses import Answer, ApiResponse, JobResult, JobStatus, ModelInfo
from .token import Token, is_loopback

MAX_RESPONSE_SIZE: Final = 1024 * 1024
"""Bytes of an answer, its head included; the documented ones have a few hundred."""
_PIECE: Final = 16 * 1024
"""Compressed bytes that are unpacked at a time; they may become a thousand times as many."""


@dataclass(frozen=True)
class RunComfy:
    """The service, for one account. Every method is one HTTP exchange and raises `RunComfyError`."""

    transport: Transport
    token_source: str

    def submit(self, request: GenerationRequest, before_first_byte: Callable[[], None] | None = None) -> str:
        """Ask for a video; **this is what costs money**. Returns the request id.

        After an error whose `not_accepted` is false, the service may have taken the job.
        """
        subject = Subject(MODEL_ID, token_source=self.token_source)
        call = ApiRequest("POST", f"/v1/models/{MODEL_ID}", subject, request.body(), before_first_byte)
        return self._answer(call).request_id()

    def status(self, request_id: str) -> JobStatus:
        return self._about_job(request_id, "GET", "status").status()

    def result(self, request_id: str) -> JobResult:
        return self._about_job(request_id, "GET", "result?include_cost=true").result()

    def cancel(self, request_id: str) -> bool:
        """Take a job back out of the queue. Whether it is: one that is running already cannot be."""
        return self._about_job(request_id, "POST", "cancel").is_cancelled()

    def model_info(self) -> ModelInfo:
        """What the model costs, if the service tells. Also a free check of the token."""
        subject = Subject(MODEL_ID, None, Charge.NOTHING, self.token_source)
        return self._answer(ApiRequest("GET", f"/v1/models/{MODEL_ID}", subject)).model()

    def _about_job(self, request_id: str, method: str, what: str) -> Answer:
        subject = Subject(request_id, request_id, Charge.ACCEPTED, self.token_source)
        return self._answer(ApiRequest(method, f"/v1/requests/{request_id}/{what}", subject))

    def _answer(self, call: ApiRequest) -> Answer:
        return Answer(self.transport.send(call), call.subject)


@dataclass(frozen=True)
class ApiRequest:
    method: str
    path: str
    """From its first slash on, with its query."""
    subject: Subject = NO_CALL
    """What its errors are about."""
    body: Mapping[str, str | int] | None = None
    """JSON, of the submit call only: the one call that must not be made twice."""
    before_first_byte: Callable[[], None] | None = None
    """Called when the connection stands, TLS included, right before the request is sent. A `SeedanceError` or
    `StopRequested` of its is raised by `send`, and nothing is sent."""


class Transport(Protocol):
    def send(self, request: ApiRequest, /) -> ApiResponse:
        """One exchange.

        Raises `ConnectError` where no byte of the request has left, `ReadError` where one may have, and
        `InvalidResponse` for an answer that is a redirect, compressed or too large.
        """


@dataclass(frozen=True)
class Limits:
    """Seconds that one exchange may take."""

    connect: float = 10.0
    read: float = 20.0
    """Between two pieces of the answer."""
    total: float = 45.0
    submit: float = 60.0
    """In place of ``read`` and ``total`` for a submit: an answer that is given up may be a job that was paid for."""


@dataclass(eq=False)
class HttpTransport:
    """HTTP by `requests`, within ``limits``, without redirects and without repeats."""

    origin: str
    token: Token
    limits: Limits = Limits()
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._kept_session = self._new_session()

    def send(self, request: ApiRequest, /) -> ApiResponse:
        session, seconds = self._kept_session, self.limits.total
        if request.body is not None:
            # A kept connection may just have been closed by the service; then the request may seem to have arrived.
            session, seconds = self._new_session(), self.limits.submit
        exchange = Exchange(seconds, MAX_RESPONSE_SIZE, self.clock, before_first_byte=request.before_first_byte)
        failure: Exception
        try:
            with exchange:
                return self._response(session, request)
        except (SeedanceError, StopRequested) as error:
            failure = error
        except (OSError, ValueError, HTTPError, http.client.HTTPException, ResponseTooLarge) as error:
            # All errors of `requests` are OSErrors; some, such as InvalidJSONError, are ValueErrors as well.
            reason = failure_reason(error, exchange)
            failure = ReadError(reason, request.subject) if exchange.sent else ConnectError(reason, request.subject)
            if exchange.sent and isinstance(error, ResponseTooLarge):
                failure = InvalidResponse("tooLong", request.subject)
        finally:
            if session is not self._kept_session:
                session.close()
        # Outside the handlers and without a traceback: what `requests` raised holds the request's headers, and with
        # them the token, and must not stay attached.
        raise failure.with_traceback(None)

    def _response(self, session: Session, request: ApiRequest) -> ApiResponse:
        read = self.limits.read if request.body is None else self.limits.submit
        url, timeout = self.origin + request.path, (self.limits.connect, read)
        with session.request(
            request.method, url, json=request.body, auth=self.token, timeout=timeout, stream=True
        ) as response:
            if response.is_redirect:
                raise InvalidResponse("redirect", request.subject)
            encoding = response.headers.get("Content-Encoding", "").strip().lower()
            if encoding not in ("", "identity", "gzip"):
                raise InvalidResponse("compressed", request.subject)
            body = b""
            # A gateway may compress it although nobody asked; a job that is paid for must not be lost by that.
            for piece in response.raw.stream(_PIECE, decode_content=True):
                body += piece
                if len(body) > MAX_RESPONSE_SIZE:
                    raise ResponseTooLarge
            return ApiResponse(response.status_code, response.headers, self.token.redact(body))

    def _new_session(self) -> Session:
        # No proxy for a service on this machine: the proxy would get to see its token.
        session = Session(LimitedAdapter(use_proxy=not is_loopback(urlsplit(self.origin).hostname or "")))
        session.headers["Accept"] = "application/json"
        return session
