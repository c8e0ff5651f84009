"""A real ComfyUI with its real web UI in a real browser, and a local RunComfy whose records the tests can read."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.screenshots import Screenshots
from tests.browser.scripts import CLOSE_SIDEBAR
from tests.browser.ui import Ui
from tests.comfyui.conftest import PACK, TOKEN, service, service_log
from tests.support.rehearsal import RehearsalService
from tools.comfyui import CACHE, ComfyUI
from tools.comfyui_source import ensure
from tools.front_end import front_end
from tools.upscale_model import UPSCALER, write_tiny_upscaler

__all__ = ["TOKEN", "service", "service_log"]  # the last two are fixtures, which pytest finds here
PATIENCE = 30_000.0  # milliseconds until what is waited for is taken for missing; two busy cores are slow
SIZE = ViewportSize(width=1440, height=810)
SETTINGS = {
    "Comfy.TutorialCompleted": True,  # no greeting
    "Comfy.Locale": "en",  # whatever this machine speaks
    "Comfy.ConfirmClear": False,
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasInfo": False,
}
"""ComfyUI as a user may have it who has found the settings."""

in_both = pytest.mark.parametrize("ui", [False, True], ids=["classic", "nodes-2.0"], indirect=True)
"""A test of `ui` that runs in the classic canvas and in Nodes 2.0."""

OURS = re.compile("/seedance|^seedance asks")
COMPLAINTS = ("error", "warning")

# A page reaches this machine and nothing else, as on a computer without a network.
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


@pytest.fixture(scope="session")
def server(service: RehearsalService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    """ComfyUI as a newcomer has it, without a token; the service stands where RunComfy would."""
    core = ensure(CACHE)
    base = tmp_path_factory.mktemp("browser")
    write_tiny_upscaler(base / "models" / "upscale_models" / UPSCALER)
    env = {"RUNCOMFY_API_BASE_URL": service.origin}
    write_settings(base, SETTINGS)
    with ComfyUI(base, pack=PACK, env=env, core=core, front_end=front_end(core, CACHE)) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """While it is open, playwright runs an event loop in this thread, beside which no other test can run one."""
    with chromium() as browser:
        yield browser


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window. A machine without one fails the tests: what no browser ran is not shown."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "These tests need Chromium (apt-get install chromium), or its path in CHROMIUM."
    # Chromium refuses to sandbox pages for root, which tests in containers are; the only pages here are our own.
    sandbox = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[OFFLINE, *sandbox])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of a browser without a past."""
    with new_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def opened(browser: Browser, server: ComfyUI) -> Iterator[Ui]:
    """The web UI in one page for all tests of a file: to load it takes longer than most of them."""
    write_settings(server.base, SETTINGS)
    with new_page(browser) as page:
        yield Ui.opened(page, server.url)


@pytest.fixture
def ui(opened: Ui, request: pytest.FixtureRequest) -> Ui:
    """The web UI, ready, with an empty graph in the classic canvas."""
    opened.page.evaluate(CLOSE_SIDEBAR)
    opened.start_over(nodes_2=getattr(request, "param", False))
    return opened


@pytest.fixture
def token_file(server: ComfyUI) -> Iterator[Path]:
    """Where Settings saves a token. There is none at first, and none afterwards."""
    file = server.base / "user" / "__seedance" / "token"
    file.unlink(missing_ok=True)
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture
def token(token_file: Path) -> str:
    """A token that the service takes, saved as Settings does it."""
    save_token(token_file, TOKEN)
    return TOKEN


@pytest.fixture(scope="session")
def screenshots() -> Screenshots:
    """Saves pictures where SCREENSHOTS says; without it nothing is saved."""
    folder = os.environ.get("SCREENSHOTS")
    return Screenshots(Path(folder) if folder else None)


def save_token(file: Path, token: str) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.touch(0o600)
    file.write_text(token)


@contextmanager
def new_page(browser: Browser) -> Iterator[Page]:
    """A page that nothing is known in. What this pack's own code does wrong in it is an error at the end."""
    wrong: list[str] = []
    with watched_page(browser, wrong) as page:
        yield page
    assert [each for each in wrong if OURS.search(each)] == []


@contextmanager
def watched_page(browser: Browser, wrong: list[str]) -> Iterator[Page]:
    """The same for whoever judges by himself what has gone ``wrong``."""
    sharpness = 10 / 9 if os.environ.get("SCREENSHOTS") else 1  # pixels of the picture to one of the page
    context = browser.new_context(viewport=SIZE, device_scale_factor=sharpness)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(error.stack or error.message))
    page.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    page.on("console", lambda said: wrong.append(f"{said.location} {said.text}") if said.type in COMPLAINTS else None)
    watch_requests(page, wrong)
    yield page
    context.close()


def watch_requests(page: Page, wrong: list[str]) -> None:
    """Notes what the pack's own code asks of anybody but the server that the page is from."""

    def sent(event: dict[str, Any]) -> None:
        address = event["request"]["url"]
        if "/extensions/seedance/" in json.dumps(event["initiator"]) and not address.startswith("http://127.0.0.1:"):
            wrong.append(f"seedance asks {address}")

    devtools = page.context.new_cdp_session(page)
    devtools.on("Network.requestWillBeSent", sent)
    devtools.send("Network.enable")


def write_settings(base: Path, settings: Mapping[str, object]) -> None:
    """Sets all settings of the ComfyUI whose folder is `base`; a page takes them over when it is loaded."""
    file = base / "user" / "default" / "comfy.settings.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings))
