"""The local RunComfy as a whole: a server on 127.0.0.1 only, and what it answers to each call, as documented."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from concurrent.futures import Future
from contextlib import closing
from datetime import datetime, timezone
from typing import Final

from aiohttp import http_exceptions, web
from pydantic import ValidationError

from .jobs import Job, JobState, JobStore, Timing
from .schema import VideoRequest

DEFAULT_TOKEN: Final = "rehearsal"  # noqa: S105 - no secret: it opens nothing but this stand-in
MODEL_ID: Final = "bytedance/seedance-1-0/pro/fast/text-to-video"
MAX_BODY_BYTES: Final = 1024 * 1024


class RehearsalService:
    """A stand-in for RunComfy. Nothing it does costs anything, leaves this machine or touches its disk.

    It serves from when it is made until `stop`, which also closes its ``store``. It has one account and no prices. May
    be used from several threads. Raises OSError where it cannot listen.
    """

    def __init__(self, token: str = DEFAULT_TOKEN, store: JobStore | None = None) -> None:
        # The backlog: hundreds of jobs may be polled at once.
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._token = token
        self.store = store or JobStore(Timing())
        self.origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._stopping: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(listener,), name="rehearsal-http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all connections and whatever is being rendered. Does nothing when called again."""
        if not self._stopping.done():
            self._stopping.set_result(None)
        self._thread.join()
        self.store.close()

    def _run(self, listener: socket.socket) -> None:
        with closing(asyncio.SelectorEventLoop()) as loop:
            loop.run_until_complete(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        log = logging.getLogger("seedance.rehearsal")
        log.addFilter(_is_defect)
        app = self.application()
        runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, keepalive_timeout=30.0, logger=log, shutdown_timeout=0.5
        )
        await runner.setup()
        try:
            await web.SockSite(runner, listener, backlog=256).start()
            await asyncio.wrap_future(self._stopping)
        finally:
            await runner.cleanup()

    def application(self) -> web.Application:
        """The five documented calls and the videos; each route has the name of its call."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/v1/models/{model:.+}", self._submit, name="submit")
        app.router.add_get("/v1/models/{model:.+}", self._model, name="model", allow_head=False)
        app.router.add_get("/v1/requests/{request_id}/status", self._status, name="status", allow_head=False)
        app.router.add_get("/v1/requests/{request_id}/result", self._result, name="result", allow_head=False)
        app.router.add_post("/v1/requests/{request_id}/cancel", self._cancel, name="cancel")
        app.router.add_get("/media/{request_id}.mp4", self._media, name="media")
        return app

    async def _submit(self, request: web.Request) -> web.Response:
        self._check_token(request)
        self._check_model(request)
        try:
            wanted = VideoRequest.model_validate_json(await request.read())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            detail = [{**problem, "loc": ["body", *problem["loc"]]} for problem in problems]
            return web.json_response({"detail": detail}, status=422)
        job = self.store.submit(wanted)
        return web.json_response({"request_id": job.request_id, **_links(request, job, "status", "result", "cancel")})

    async def _model(self, request: web.Request) -> web.Response:
        self._check_token(request)
        self._check_model(request)
        return web.json_response({"model_id": MODEL_ID, "input_schema": VideoRequest.model_json_schema()})

    async def _status(self, request: web.Request) -> web.Response:
        job = self._job(request)
        state = job.state
        # In this call, success and failure alike are `completed`.
        word = "completed" if state in (JobState.SUCCEEDED, JobState.FAILED) else state.value
        answer: dict[str, object] = {"request_id": job.request_id, "status": word}
        if state is JobState.IN_QUEUE:
            answer["queue_position"] = self.store.queue_position(job)
        return web.json_response(answer | _links(request, job, "status", "result"))

    async def _result(self, request: web.Request) -> web.Response:
        job = self._job(request)
        state = job.state
        answer: dict[str, object] = {"request_id": job.request_id, "status": state.value}
        answer["created_at"] = _date(job, job.submitted)
        if state not in (JobState.IN_QUEUE, JobState.IN_PROGRESS) and job.ended is not None:
            answer["finished_at"] = _date(job, job.ended)
        if state is JobState.SUCCEEDED:
            answer["output"] = {"video": f"{request.url.origin()}/media/{job.request_id}.mp4"}
        if state is JobState.FAILED:
            answer["error"] = job.error
        return web.json_response(answer)

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self._job(request)
        outcome = "cancelled" if self.store.cancel(job) else "not_cancellable"
        return web.json_response({"request_id": job.request_id, "outcome": outcome}, status=202)

    async def _media(self, request: web.Request) -> web.Response:
        job = self.store.find(request.match_info["request_id"])
        if job is None or job.state is not JobState.SUCCEEDED:
            raise web.HTTPNotFound
        content = await asyncio.to_thread(self.store.video, job)
        return web.Response(body=content, content_type="video/mp4")

    def is_known(self, token: str) -> bool:
        """Whether there is an account with this token."""
        return token == self._token

    def _check_token(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self.is_known(token.strip()):
            reason = "the token is not known" if token.strip() else "no bearer token was sent"
            raise _refusal(web.HTTPUnauthorized, 400004, f"UserAccountError: {reason}")

    def _check_model(self, request: web.Request) -> None:
        if (model := request.match_info["model"]) != MODEL_ID:
            raise _refusal(web.HTTPBadRequest, 400001, f"InvalidResourceIdentifier: no model {model!r:.150}")

    def _job(self, request: web.Request) -> Job:
        self._check_token(request)
        job = self.store.find(request.match_info["request_id"])
        if job is None:
            raise _refusal(web.HTTPNotFound, 404001, "ResourceNotFound: it is unknown, deleted or expired")
        return job


def _is_defect(record: logging.LogRecord) -> bool:
    """Whether a log entry is about a defect here, and not just about a client that broke off or sent garbage."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, OSError | http_exceptions.HttpProcessingError | web.RequestPayloadError)


def _refusal(kind: type[web.HTTPError], code: int, message: str) -> web.HTTPError:
    return kind(text=json.dumps({"error_code": code, "message": message}), content_type="application/json")


def _date(job: Job, moment: float) -> str:
    """A moment of the job's clock in ISO 8601, UTC."""
    seconds = time.time() + moment - job.clock()
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec="milliseconds")


def _links(request: web.Request, job: Job, *calls: str) -> dict[str, str]:
    """The URLs of some calls about a job, under the address by which the client reached the service."""
    return {f"{call}_url": f"{request.url.origin()}/v1/requests/{job.request_id}/{call}" for call in calls}
