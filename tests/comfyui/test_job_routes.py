"""The jobs panel's routes, with an engine that takes its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from nodes.comfyui.guarded_route import add_routes
from nodes.comfyui.routes import Routes
from nodes.jobs.job import Run

if TYPE_CHECKING:
    from nodes.engine import Engine

PATIENCE = 10.0  # seconds, for a moment
QUEUED = frozenset({"a prompt"})


class SlowEngine:
    """Fetches nothing until it may."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.may_end = False

    async def fetch_job(self, _: str, run: Run) -> None:
        self.runs.append(run)
        while not self.may_end:  # noqa: ASYNC110 - in any event loop
            await asyncio.sleep(0.01)


def test_videos_that_take_long_to_fetch_keep_no_other_route_waiting() -> None:
    """The server's threads, which also read the files that it serves, are few."""
    engine, routes = SlowEngine(), web.RouteTableDef()
    add_routes(routes, Routes(lambda: cast("Engine", engine), {}, lambda: QUEUED).table())
    add_routes(routes, [("GET", "/other", lambda _: {"done": True})])
    app = web.Application()
    app.add_routes(routes)

    async def scenario() -> None:
        async with TestClient(TestServer(app)) as client:
            body = {"request_id": "job-1"}
            fetches = [asyncio.create_task(client.post("/seedance/jobs/fetch", json=body)) for _ in range(40)]
            try:
                while not engine.runs:  # noqa: ASYNC110 - no more than a turn of the loop each
                    await asyncio.sleep(0)
                answer = await asyncio.wait_for(client.get("/other"), PATIENCE)
                assert await answer.json() == {"done": True}
            finally:
                engine.may_end = True
                assert {(await fetch).status for fetch in fetches} == {200}

    asyncio.run(scenario())
    assert {run.queued_prompts() for run in engine.runs} == {QUEUED}, "what was queued before has not read of a failure"
