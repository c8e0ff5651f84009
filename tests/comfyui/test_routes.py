"""What the browser asks the server: by ComfyUI's own pages, by other sites' pages and by curious scripts."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web
from aiohttp.test_utils import TestServer

from nodes.comfyui.guarded_route import MAX_BODY, add_route
from nodes.engine import Engine, Folders
from nodes.jobs.records import State
from tests.comfyui.conftest import TOKEN
from tests.support.job_records import record_in
from tests.support.loopback_server import DEADLINE
from tests.support.rehearsal import RehearsalService

SECRET = TOKEN  # goes in and never comes out
READS = tuple(("GET", name) for name in ("about", "token", "budget", "jobs", "jobs/totals", "jobs.csv"))
POSTS = ("token", "token/check", "budget", "quote", "jobs/fetch", "jobs/link", "jobs/submit_again")
WRITES = (*(("POST", name) for name in POSTS), ("DELETE", "token"))
REBOUND = {"Host": "evil.example:8188", "Origin": "http://evil.example:8188"}
"""Of a page whose own name leads to this machine by now. All other headers are in `test_guarded_route.py`."""
PROMPT = "a lighthouse in a storm"
ASKED = {"text": PROMPT, "resolution": "480p", "ratio": "16:9", "duration": 2, "seed": 1, "count": 1, "reuse": True}
QUOTE = {"kind": "price", "usd": 0.04, "is_base": True, "videos": 1, "to_buy": 1, "duration": 2, "resolution": "480p"}


@dataclass(frozen=True)
class Pages:
    """A server beside an engine; no answer ever holds the token."""

    origin: str
    engine: Engine
    environment: dict[str, str]

    @property
    def file(self) -> Path:
        return self.engine.folders.token

    def ask(self, method: str, name: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The response. A body is sent as JSON, unless it is bytes or comes in pieces: then as ``headers`` say."""
        sent = {"data": body} if isinstance(body, bytes | Iterator) else {"json": body or {}}
        url, content = f"{self.origin}seedance/{name}", {} if method == "GET" else sent
        answer = requests.request(method, url, headers=headers, timeout=60, **content)
        assert SECRET not in f"{answer.headers}{answer.text}"
        assert answer.headers["Cache-Control"] == "no-store"
        return answer


@pytest.fixture
def pages(service: RehearsalService, tmp_path: Path) -> Iterator[Pages]:
    environment = {"RUNCOMFY_API_BASE_URL": service.origin}
    engine = Engine(Folders(tmp_path / "output", tmp_path / "private"), environment, "the tests of routes")
    routes, application = web.RouteTableDef(), web.Application()
    add_route(routes, lambda: engine)
    application.add_routes(routes)
    loop, server = asyncio.new_event_loop(), TestServer(application)
    with ThreadPoolExecutor(1) as thread, closing(engine):
        thread.submit(loop.run_forever)
        asyncio.run_coroutine_threadsafe(server.start_server(), loop).result()
        yield Pages(str(server.make_url("/")), engine, environment)
        asyncio.run_coroutine_threadsafe(server.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
    loop.close()


def state(source: str | None, *, saved: bool, variable: str | None = None) -> dict[str, object]:
    return {"source": source, "saved": saved, "variable": variable, "problem": None, "texts": []}


def assert_refused(answer: Any, status: int, what: object) -> str:
    """A sentence, and the same for the browser to word."""
    assert answer.status_code == status, what
    assert set(answer.json()) == {"error", "texts"}, what
    assert "charged" not in answer.json()["error"], what
    return str(answer.json()["error"])


def test_a_saved_token_goes_before_the_variable_and_clearing_brings_that_back(pages: Pages) -> None:
    assert pages.ask("GET", "token").json() == state(None, saved=False)
    pages.environment["RUNCOMFY_TOKEN"] = "another-token"
    of_variable = state("RUNCOMFY_TOKEN", saved=False, variable="RUNCOMFY_TOKEN")
    assert pages.ask("GET", "token").json() == of_variable
    saved = pages.ask("POST", "token", {"token": SECRET}).json()
    assert saved == state("saved", saved=True, variable="RUNCOMFY_TOKEN")
    assert pages.file.read_text() == SECRET
    assert pages.ask("DELETE", "token").json() == of_variable
    assert not pages.file.exists()


def test_a_token_that_cannot_be_used_saved_or_cleared_is_a_problem_that_is_told_at_once(pages: Pages) -> None:
    def problem(source: str, *, saved: bool) -> str:
        told = pages.ask("GET", "token").json()
        assert (told["source"], told["saved"]) == (source, saved)
        assert told["texts"]
        assert "charged" not in told["problem"]
        return str(told["problem"])

    pages.environment["RUNCOMFY_TOKEN"] = f"{SECRET} two"
    assert "spaces" in problem("RUNCOMFY_TOKEN", saved=False)
    pages.file.mkdir(parents=True)
    assert "cannot be read" in problem("saved", saved=True)
    for method in ("DELETE", "POST"):
        error = assert_refused(pages.ask(method, "token", {"token": SECRET}), 400, method)
        assert "What is saved cannot be changed" in error


def test_a_check_is_free_and_says_what_a_video_costs_or_why_the_token_is_not_accepted(pages: Pages) -> None:
    pages.ask("POST", "token", {"token": SECRET})
    accepted = "RunComfy accepts the token from Settings > Seedance."
    with (
        RehearsalService(tokens=(SECRET,)) as service,
        RehearsalService(tokens=(SECRET,), price_usd=None) as priceless,
        RehearsalService(tokens=("another",)) as strange,
    ):
        for origin, ok, said in (
            (service.origin, True, f"{accepted} Seedance costs $0.02 per second."),
            (priceless.origin, True, accepted),
            (strange.origin, False, "Settings > Seedance"),
            ("http://127.0.0.1:9", False, "could not be reached"),
            ("http://example.com", False, "RUNCOMFY_API_BASE_URL"),
        ):
            pages.environment["RUNCOMFY_API_BASE_URL"] = origin
            check = pages.ask("POST", "token/check").json()
            assert check["ok"] is ok, said
            assert check["message"] == said if ok else said in check["message"]
            assert check["texts"], said
            assert "charged" not in check["message"], said
        pages.ask("DELETE", "token")
        pages.environment.update(RUNCOMFY_API_BASE_URL=strange.origin, RUNCOMFY_TOKEN="a-wrong-token")
        assert "RUNCOMFY_TOKEN" in pages.ask("POST", "token/check").json()["message"]
        assert not service.submissions


def test_another_sites_page_is_refused_and_comfyuis_own_is_served(pages: Pages, service: RehearsalService) -> None:
    pages.ask("POST", "token", {"token": SECRET})
    calls = service.calls
    for method, path in (*READS, *WRITES):
        answer = pages.ask(method, path, {"token": "planted", "limit": 1000}, REBOUND)
        assert_refused(answer, 403, f"{method} {path}")
    assert pages.file.read_text() == SECRET
    assert pages.ask("GET", "budget").json()["limit"] == 50
    assert service.calls == calls
    for method, path in READS:
        assert pages.ask(method, path, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200, path


def test_what_a_form_could_send_and_a_wrong_body_are_refused_and_not_quoted(pages: Pages) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        for method, path in WRITES:
            form = json.dumps({"token": SECRET}).encode()
            assert_refused(pages.ask(method, path, form, {"Content-Type": kind}), 415, f"{kind}: {method} {path}")
    texts = ("null", "{}", "{%", "[" * 4000, '["%"]', '{"token": ["%"]}', '{"token": "% two"}')
    of_no_known_length = iter([b"{}"])
    rows: list[tuple[int, bytes | Iterator[bytes]]] = [(413, b"x" * (MAX_BODY + 1)), (413, of_no_known_length)]
    rows += [(400, text.replace("%", SECRET).encode()) for text in texts]
    rows += [(400, b"\xff\xfe" + SECRET.encode())]
    for status, body in rows:
        assert_refused(pages.ask("POST", "token", body, {"Content-Type": "application/json"}), status, body)
    assert not pages.file.exists()


def test_jobs_and_routes_that_there_cannot_be_are_refused(pages: Pages) -> None:
    assert requests.get(f"{pages.origin}seedance/nothing", timeout=60).status_code == 404
    table: list[tuple[str, str, object]] = [
        *(("GET", f"?{query}", None) for query in ("before=x", "before=-1", f"before={'9' * 30}", "state=told")),
        *(("POST", "/submit_again", {"id": number}) for number in (None, "1", True, 0, -1, 2**70, 1)),
        *(("POST", "/link", {"id": 1, "request_id": name}) for name in (None, 1, "", "../x", "a b", "con")),
        ("POST", "/fetch", {"request_id": "https://evil.example"}),
    ]
    for method, path, body in table:
        assert_refused(pages.ask(method, f"jobs{path}", body), 400, f"{method} {path} {body}")
    assert pages.ask("GET", "jobs").json() == {"jobs": [], "next": None}


def test_a_budget_is_set_and_kept(pages: Pages) -> None:
    def budget(limit: object = None) -> Any:
        return pages.ask("GET" if limit is None else "POST", "budget", {"limit": limit}).json()

    default = {"limit": 50, "spent": 0, "by_environment": False, "frees_at": None}
    assert budget() == default
    assert budget(0.06) == default | {"limit": 0.06}
    record_in(State.SAVED, pages.engine.journal, cost=0.04)
    spent = budget()
    assert (spent["limit"], spent["spent"]) == (0.06, 0.04)
    until = datetime.fromisoformat(spent["frees_at"]) - datetime.now(timezone.utc)
    assert timedelta(hours=23) < until < timedelta(hours=24)
    pages.engine.folders.budget.write_text("a lot")
    for limit in (None, "5"):
        assert "not an amount of money" in budget(limit)["error"]
    assert budget(0)["limit"] == 0


def test_what_a_run_would_cost(pages: Pages, service: RehearsalService) -> None:
    pages.ask("POST", "token", {"token": SECRET})
    submitted = len(service.submissions)
    table: list[tuple[dict[str, object], dict[str, object]]] = [
        ({"text": "a cat", "duration": 3}, {"usd": 0.06, "duration": 3}),
        ({"text": "a cat", "duration": 3, "count": 4}, {"usd": 0.24, "duration": 3, "videos": 4, "to_buy": 4}),
        ({"text": None, "duration": 3, "count": 4}, {"usd": 0.06, "duration": 3}),
        ({"text": "a cat" * 3000, "duration": 3}, {"usd": 0.06, "duration": 3}),
        ({"mode": "rehearsal"}, {"kind": "rehearsal", "usd": 0, "is_base": False, "to_buy": 0}),
    ]
    for changes, expected in table:
        assert pages.ask("POST", "quote", ASKED | changes).json() == QUOTE | expected, changes
    for wrong in ({"count": 0}, {"count": 201}, {"count": True}, {"text": ""}, {"seed": "1"}, {"resolution": "8k"}):
        assert_refused(pages.ask("POST", "quote", ASKED | wrong), 400, wrong)
    assert len(service.submissions) == submitted


def test_videos_that_take_long_to_fetch_keep_no_other_route_waiting(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's threads, which also read the files that it serves, are few."""
    begun, may_end = threading.Semaphore(0), Future[None]()

    async def slow(*_: object) -> None:
        begun.release()
        await asyncio.wrap_future(may_end)

    monkeypatch.setattr(pages.engine, "fetch_job", slow)
    with ThreadPoolExecutor(40) as pool:
        fetches = [pool.submit(pages.ask, "POST", "jobs/fetch", {"request_id": "job-1"}) for _ in range(40)]
        all_begun = all(begun.acquire(timeout=DEADLINE) for _ in fetches)
        may_end.set_result(None)
        assert all_begun
        assert {fetch.result().status_code for fetch in fetches} == {200}
