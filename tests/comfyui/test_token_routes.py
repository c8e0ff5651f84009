"""The token's routes in a real ComfyUI, as its own pages, other sites' pages and curious scripts ask them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.comfyui.conftest import PACK, PYTHON, TOKEN, ServiceLog
from tests.support.rehearsal import RehearsalService
from tools.comfyui import ComfyUI

ROUTE = "/seedance/token"
CHECK = "/seedance/token/check"
NONE: dict[str, object] = {"source": None, "saved": False, "variable": None, "problem": None, "texts": []}
SAVED: dict[str, object] = {"source": "saved", "saved": True, "variable": None, "problem": None, "texts": []}
BUDGET = "/seedance/budget"
QUOTE = "/seedance/quote"
WRITES = (("POST", ROUTE), ("DELETE", ROUTE), ("POST", CHECK), ("POST", BUDGET), ("POST", QUOTE))
READS = (("GET", ROUTE), ("GET", "/seedance/about"), ("GET", BUDGET))
JOBS = "/seedance/jobs"
JOB_READS = (("GET", JOBS), ("GET", f"{JOBS}/totals"), ("GET", f"{JOBS}.csv"))
JOB_WRITES = (("POST", f"{JOBS}/fetch"), ("POST", f"{JOBS}/link"), ("POST", f"{JOBS}/submit_again"))
WRONG_JOBS: list[tuple[str, str, object]] = [
    *(
        ("GET", f"{JOBS}?{query}", None)
        for query in ("before=x", "before=-1", f"before={'9' * 30}", "state=x", "state=told")
    ),
    *(("POST", f"{JOBS}/submit_again", {"id": number}) for number in (None, "1", True, 0, -1, 2**70, 1)),
    *(("POST", f"{JOBS}/link", {"id": 1, "request_id": name}) for name in (None, 1, "", "../x", "a b", "con")),
    ("POST", f"{JOBS}/fetch", {"request_id": "https://evil.example"}),
]
REBOUND = {"Host": "evil.example:8188", "Origin": "http://evil.example:8188"}
"""A page whose own name leads to this machine by now. All other headers are in `test_csrf.py`."""
CROSS_SITE = {"another site": {"Origin": "https://evil.example"}, "a rebound name": REBOUND}
JSON = {"Content-Type": "application/json"}
WRONG_BODIES: list[tuple[int, bytes]] = [
    (413, b"x" * 100_001),
    (413, json.dumps({"token": "x" * 100_000}).encode()),
    (400, b"{" + TOKEN.encode()),
    (400, b"\xff\xfe" + TOKEN.encode()),
    *((400, body) for body in (b"[" * 4000, f'["{TOKEN}"]'.encode(), b"null", b"{}", b'{"token": null}')),
    (400, f'{{"token": ["{TOKEN}"]}}'.encode()),
    (400, f'{{"token": "{TOKEN} two"}}'.encode()),
    (400, f'{{"token": "{TOKEN}\\ud800"}}'.encode()),
    (400, f'{{"token": "{"x" * 3000}"}}'.encode()),
]


class Pages:
    """Requests to one ComfyUI."""

    def __init__(self, server: ComfyUI) -> None:
        self.server = server
        self.answers: list[str] = []
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy has no business on loopback

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        """One request; a body is sent as JSON, unless it is bytes, which need a Content-Type in `headers`."""
        sent = {"data": body} if isinstance(body, bytes) else {"json": {} if body is None else body}
        if method == "GET":
            sent = {}
        answer = self._session.request(method, self.server.url + path, headers=headers, timeout=60, **sent)
        self.answers.append(f"{answer.headers}{answer.text}")
        return answer

    @property
    def file(self) -> Path:
        return self.server.base / "user" / "__seedance" / "token"


@pytest.fixture(scope="module")
def pages(service: RehearsalService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """Nobody's token is set, everything is logged, and ComfyUI's own check of origins is off: ours stands alone."""
    with ComfyUI(
        tmp_path_factory.mktemp("comfyui-routes"),
        pack=PACK,
        env={"RUNCOMFY_API_BASE_URL": service.origin, **PYTHON},
        extra_args=("--verbose", "DEBUG", "--enable-cors-header"),
    ) as server:
        yield Pages(server)


@pytest.fixture(autouse=True)
def _no_token(pages: Pages) -> Iterator[None]:
    yield
    pages.file.unlink(missing_ok=True)


def test_a_token_is_saved_used_and_cleared(pages: Pages, service_log: ServiceLog) -> None:
    assert pages.ask("GET", ROUTE).json() == NONE
    assert pages.ask("GET", ROUTE).headers["Cache-Control"] == "no-store"
    assert pages.ask("POST", ROUTE, {"token": TOKEN}).json() == SAVED
    assert pages.ask("GET", f"/api{ROUTE}").json() == SAVED
    check = pages.ask("POST", CHECK).json()
    assert check["ok"]
    assert "$0.02 per second" in check["message"]
    assert service_log.submissions == []
    assert pages.ask("DELETE", ROUTE).json() == NONE
    assert not pages.file.exists()


def test_another_sites_page_is_refused_and_comfyuis_own_is_served(pages: Pages, service_log: ServiceLog) -> None:
    pages.ask("POST", ROUTE, {"token": TOKEN})
    for name, headers in CROSS_SITE.items():
        for method, path in (*WRITES, *READS, *JOB_READS, *JOB_WRITES):
            answer = pages.ask(method, path, {"token": "planted", "limit": 1000}, headers)
            assert answer.status_code == 403, f"{name}: {method} {path}"
            assert set(answer.json()) == {"error", "texts"}, name
        # Core answers a preflight of anybody's when it is asked to; what follows is refused all the same.
        assert pages.ask("OPTIONS", ROUTE, headers=headers).status_code in (200, 403, 405), name
    assert pages.file.read_text() == TOKEN
    assert pages.ask("GET", BUDGET).json()["limit"] == 50
    assert service_log.calls == {}
    for method, path in (*WRITES, *READS, *JOB_READS):
        own = {"Origin": pages.server.url, "Sec-Fetch-Site": "same-origin"}
        assert pages.ask(method, path, {"token": TOKEN, "limit": 50}, own).ok, f"{method} {path}"


def test_what_a_form_could_send_is_refused(pages: Pages) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        for method, path in (*WRITES, *JOB_WRITES):
            answer = pages.ask(method, path, json.dumps({"token": TOKEN}).encode(), {"Content-Type": kind})
            assert answer.status_code == 415, f"{kind}: {method} {path}"
    assert not pages.file.exists()


def test_a_wrong_body_is_refused_and_not_quoted(pages: Pages) -> None:
    for status, body in WRONG_BODIES:
        answer = pages.ask("POST", ROUTE, body, JSON)
        assert answer.status_code == status, body[:40]
        assert set(answer.json()) == {"error", "texts"}, body[:40]
        assert TOKEN not in answer.text, body[:40]
        assert "xxx" not in answer.text, body[:40]
    without_length = (b"x" * 1000 for _ in range(10))
    answer = requests.post(pages.server.url + ROUTE, data=without_length, headers=JSON, timeout=60)
    assert answer.status_code == 413
    assert not pages.file.exists()


def test_jobs_that_there_cannot_be_are_refused(pages: Pages) -> None:
    for method, path, body in WRONG_JOBS:
        answer = pages.ask(method, path, body)
        assert answer.status_code == 400, f"{method} {path} {body}"
        assert set(answer.json()) == {"error", "texts"}, f"{method} {path} {body}"
    assert pages.ask("GET", JOBS).json() == {"jobs": [], "next": None}
    assert pages.ask("GET", f"{JOBS}.csv").headers["Cache-Control"] == "no-store"


def test_the_version_and_the_repository_are_those_of_the_project(pages: Pages) -> None:
    about = pages.ask("GET", "/seedance/about").json()
    project = (PACK / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{about["version"]}"' in project
    assert f'Repository = "{about["repository"]}"' in project


def test_the_token_is_in_nothing_that_comfyui_gives_out(pages: Pages) -> None:
    pages.ask("POST", ROUTE, {"token": TOKEN})
    pages.ask("POST", ROUTE, {"token": f"{TOKEN} two"})
    pages.ask("POST", CHECK)
    curious = [
        *("/settings", "/history", "/object_info", "/i18n", "/extensions", "/users", "/system_stats"),
        *("/internal/logs", "/internal/logs/raw", "/userdata?dir=.&recurse=true", "/v2/userdata?path="),
        *("/userdata/..%2F__seedance%2Ftoken", "/userdata/__seedance%2Ftoken", ROUTE, "/seedance/about"),
        *("/view?filename=token&type=output&subfolder=../user/__seedance", "/extensions/seedance/../../user/"),
    ]
    for path in curious:
        for headers in ({}, {"Comfy-User": "__seedance"}):
            pages.ask("GET", path, headers=headers)
    assert pages.file.read_text() == TOKEN
    assert not [answer for answer in pages.answers if TOKEN in answer]
    assert TOKEN not in pages.server.log
    elsewhere = [file for file in pages.server.base.rglob("*") if file.is_file() and file != pages.file]
    assert elsewhere
    assert not [file for file in elsewhere if TOKEN.encode() in file.read_bytes()]
