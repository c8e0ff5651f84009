"""The local RunComfy as a whole: a server on 127.0.0.1 only, and what it answers to each call, as documented."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Collection
from concurrent.futures import Future
from contextlib import closing
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from .jobs import Job, JobState, JobStore, Timing
from .render import VideoRequest

DEFAULT_TOKEN: Final = "rehearsal"  # noqa: S105 - no secret: it opens nothing but this stand-in
MODEL_ID: Final = "bytedance/seedance-1-0/pro/fast/text-to-video"


class RehearsalService:
    """A stand-in for RunComfy. Nothing it does costs anything, leaves this machine or touches its disk.

    It answers from the beginning until `stop`, which closes its ``store`` too. It names no price, and who has one of
    its ``tokens`` has an account. Raises OSError where it cannot listen.
    """

    def __init__(self, tokens: Collection[str] = (DEFAULT_TOKEN,), store: JobStore | None = None) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self._tokens = tokens
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
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.SockSite(runner, listener, backlog=256).start()  # hundreds of jobs may be polled at once
            await asyncio.wrap_future(self._stopping)
        finally:
            await runner.cleanup()

    def application(self) -> web.Application:
        """The five documented calls and the videos; each route has the name of its call."""
        app = web.Application()
        app.router.add_post(f"/v1/models/{MODEL_ID}", self._submit, name="submit")
        app.router.add_get(f"/v1/models/{MODEL_ID}", self._model, name="model", allow_head=False)
        app.router.add_get("/v1/requests/{request_id}/status", self._status, name="status", allow_head=False)
        app.router.add_get("/v1/requests/{request_id}/result", self._result, name="result", allow_head=False)
        app.router.add_post("/v1/requests/{request_id}/cancel", self._cancel, name="cancel")
        app.router.add_get("/media/{request_id}.mp4", self._media, name="media")
        return app

    async def _submit(self, request: web.Request) -> web.Response:
        self._check_token(request)
        try:
            wanted = VideoRequest.model_validate_json(await request.read())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            detail = [{**problem, "loc": ["body", *problem["loc"]]} for problem in problems]
            return web.json_response({"detail": detail}, status=422)
        return web.json_response({"request_id": self.store.submit(wanted).request_id})

    async def _model(self, request: web.Request) -> web.Response:
        self._check_token(request)
        return web.json_response({"model_id": MODEL_ID, "input_schema": VideoRequest.model_json_schema()})

    async def _status(self, request: web.Request) -> web.Response:
        job = self._job(request)
        state = self.store.state(job)
        # In this call, success and failure alike are `completed`.
        word = "completed" if state in (JobState.SUCCEEDED, JobState.FAILED) else state.value
        answer: dict[str, object] = {"request_id": job.request_id, "status": word}
        if state is JobState.IN_QUEUE:
            answer["queue_position"] = self.store.queue_position(job)
        return web.json_response(answer)

    async def _result(self, request: web.Request) -> web.Response:
        job = self._job(request)
        state = self.store.state(job)
        answer: dict[str, object] = {"request_id": job.request_id, "status": state.value}
        if state is JobState.SUCCEEDED:
            # The URLs of some calls about a job, under the address by which the client reached the service.
            answer["output"] = {"video": f"{request.url.origin()}/media/{job.request_id}.mp4"}
        if state is JobState.FAILED:
            answer["error"] = job.error
        return web.json_response(answer)

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self._job(request)
        outcome = "cancelled" if self.store.cancel(job) else "not_cancellable"
        return web.json_response({"request_id": job.request_id, "outcome": outcome}, status=202)

    async def _media(self, request: web.Request) -> web.Response:
        job = self.store.jobs.get(request.match_info["request_id"])
        if job is None or self.store.state(job) is not JobState.SUCCEEDED:
            raise web.HTTPNotFound
        content = await asyncio.to_thread(self.store.video, job)
        return web.Response(body=content, content_type="video/mp4")

    def _check_token(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token.strip() not in self._tokens:
            raise _refusal(web.HTTPUnauthorized, 400004, "UserAccountError: no token, or not a known one")

    def _job(self, request: web.Request) -> Job:
        self._check_token(request)
        job = self.store.jobs.get(request.match_info["request_id"])
        if job is None:
            raise _refusal(web.HTTPNotFound, 404001, "ResourceNotFound: it is unknown or deleted")
        return job


def _refusal(kind: type[web.HTTPError], code: int, message: str) -> web.HTTPError:
    return kind(text=json.dumps({"error_code": code, "message": message}), content_type="application/json")
