"""What each call is answered, as RunComfy documents it. Knows HTTP's words, not its wire."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

from .jobs import JobState
from .schema import INPUT_SCHEMA, SchemaViolation, read_body
from .store import JobStore, Submission

MODEL_ID: Final = "bytedance/seedance-1-0/pro/fast/text-to-video"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True)
class Call:
    """One authenticated-or-not request, without its wire."""

    method: str
    target: str
    """Path and query."""
    authorization: str
    """The header's value; empty if there was none."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    """A status and the JSON that goes with it."""

    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """What a path means."""

    kind: str
    """submit, model, status, result, cancel or media."""
    methods: tuple[str, ...]
    subject: str
    """The model or request id."""


class _Refused(Exception):
    """An error answer on its way out."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def route(method: str, path: str) -> Route | None:
    """What ``path`` stands for; None if for nothing. Whether it takes the method is for the caller to compare."""
    if match := re.fullmatch(r"/v1/models/(.+)", path):
        return Route("submit" if method == "POST" else "model", ("GET", "POST"), match[1])
    if match := re.fullmatch(r"/v1/requests/([^/]+)/(status|result)", path):
        return Route(match[2], ("GET",), match[1])
    if match := re.fullmatch(r"/v1/requests/([^/]+)/cancel", path):
        return Route("cancel", ("POST",), match[1])
    if match := re.fullmatch(r"/media/([^/]+)\.mp4", path):
        return Route("media", ("GET", "HEAD"), match[1])
    return None


def unknown_path() -> Answer:
    """The answer for a path that stands for nothing."""
    return Answer(404, {"detail": "Not Found"})


def wrong_method(methods: Sequence[str]) -> Answer:
    """The answer for a known path that is not called that way."""
    return Answer(405, {"detail": "Method Not Allowed"}, {"Allow": ", ".join(methods)})


class ModelApi:
    """The five documented calls, for the accounts whose tokens it knows."""

    def __init__(self, store: JobStore, origin: str, tokens: Sequence[str], price_usd: float | None) -> None:
        self._store = store
        self._origin = origin
        self._tokens = tuple(tokens)
        self._price = price_usd

    def answer(self, call: Call, found: Route) -> Answer:
        """Do what the call asks."""
        try:
            account = self._account(call.authorization)
            if found.kind in ("submit", "model"):
                if found.subject != MODEL_ID:
                    raise _Refused(_error(400, 400001, f"InvalidResourceIdentifier: no model {found.subject!r:.150}"))
                return self._submit(call.body, account) if found.kind == "submit" else self._model()
            job = self._own(found.subject, account)
            if found.kind == "status":
                return self._status(job)
            if found.kind == "result":
                return self._result(job, parse_qs(urlsplit(call.target).query))
            return self._cancel(job)
        except _Refused as refused:
            return refused.answer

    def _account(self, authorization: str) -> int:
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() == "bearer" and token in self._tokens:
            return self._tokens.index(token)
        reason = "the token is not known" if token else "no bearer token was sent"
        raise _Refused(_error(401, 400004, f"UserAccountError: {reason}"))

    def _own(self, request_id: str, account: int) -> Submission:
        if not _REQUEST_ID.fullmatch(request_id):
            raise _Refused(_error(400, 400001, "InvalidResourceIdentifier: that is not a request id"))
        job = self._store.find(request_id)
        if job is None:
            raise _Refused(_error(404, 404001, "ResourceNotFound: the request is unknown, deleted or expired"))
        if job.account != account:
            raise _Refused(_error(403, 403001, "PermissionDeniedError: the request belongs to another account"))
        return job

    def _submit(self, body: bytes, account: int) -> Answer:
        try:
            scene, given = read_body(body)
        except SchemaViolation as violation:
            return Answer(422, {"detail": violation.detail})
        job = self._store.submit(scene, given, account)
        return Answer(200, {"request_id": job.request_id, **self._links(job, "status", "result", "cancel")})

    def _status(self, job: Submission) -> Answer:
        told: dict[str, object] = {"request_id": job.request_id, "status": job.state.status_word}
        if job.queue_position is not None:
            told["queue_position"] = job.queue_position
        return Answer(200, told | self._links(job, "status", "result"))

    def _result(self, job: Submission, query: Mapping[str, Sequence[str]]) -> Answer:
        told: dict[str, object] = {
            "request_id": job.request_id,
            "status": job.state.value,
            "created_at": self._store.wall_time(job.submitted),
        }
        if job.ended is not None:
            told["finished_at"] = self._store.wall_time(job.ended)
        if job.state is JobState.SUCCEEDED:
            told["output"] = {"video": f"{self._origin}/media/{job.request_id}.mp4"}
        if job.error is not None:
            told["error"] = job.error
        if query.get("include_cost") == ["true"] and job.state.ended and self._price is not None:
            told["cost"] = round(self._price * job.seconds, 4) if job.state is JobState.SUCCEEDED else 0.0
        return Answer(200, told)

    def _cancel(self, job: Submission) -> Answer:
        done = self._store.cancel(job.request_id)
        told = {"request_id": job.request_id, "outcome": "cancelled" if done else "not_cancellable"}
        return Answer(202, told)

    def _model(self) -> Answer:
        told: dict[str, object] = {"model_id": MODEL_ID, "input_schema": INPUT_SCHEMA}
        if self._price is not None:
            told |= {
                "base_price_usd": self._price,
                "price_unit": "second",
                "pricing_note": f"${self._price:g} per second of video (a rehearsal: nothing is charged).",
            }
        return Answer(200, told)

    def _links(self, job: Submission, *calls: str) -> dict[str, str]:
        return {f"{call}_url": f"{self._origin}/v1/requests/{job.request_id}/{call}" for call in calls}


def _error(status: int, code: int, message: str) -> Answer:
    return Answer(status, {"error_code": code, "message": message})
