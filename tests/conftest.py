"""Rules for every test of this project."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.loopback_server import AUTHORITY, Loopback, always, reply, tls
from tests.support.postgres import Postgres
from tests.support.strict_files import StrictFiles

STRICT = ("jobs", "runcomfy", "video", "tests")
"""The folders whose tests write files, speak HTTP and run on Windows too; `tests` itself, without its folders."""
SLOWEST = ("hostile", "install", "comfyui", "browser", "faults", "tools", "jobs")
"""The folders that come first, so that of two processes neither is left with a long file at the end."""


def pytest_configure() -> None:
    # A shell ignores Ctrl+C for what it starts in the background, and every process that a test starts would as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("any machine", deadline=None)  # else an example that takes 200 ms is a failure
    settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: number for number, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


def skips_that_fail(config: pytest.Config) -> list[pytest.TestReport | pytest.CollectReport]:
    """The skipped tests and modules, in CI only: there, a test that did not run proves nothing."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return list(reporter.stats.get("skipped", [])) if os.environ.get("CI") and reporter is not None else []


def pytest_sessionfinish(session: pytest.Session) -> None:
    if skips_that_fail(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if skipped := skips_that_fail(config):
        terminalreporter.write_line(f"failed: {len(skipped)} skipped, and in CI nothing may be skipped", red=True)


@pytest.fixture(scope="session")
def windows(tmp_path_factory: pytest.TempPathFactory) -> StrictFiles:
    """How Windows takes open files."""
    return StrictFiles(tmp_path_factory.getbasetemp())


@pytest.fixture(autouse=True)
def _no_open_file_is_removed_or_replaced(request: pytest.FixtureRequest, windows: StrictFiles) -> Iterator[None]:
    """But in a test that is skipped on Windows for its open files."""
    skips = request.node.iter_markers("skipif")
    if request.path.parent.name not in STRICT or any("open files" in str(mark.kwargs) for mark in skips):
        yield
        return
    with windows.strict():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real one, in which every test makes a database of its own."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes an empty journal in the database that a test is `on_both` for; without a URL it is in a file."""
    if getattr(request, "param", "SQLite") == "SQLite":
        return str
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database


@pytest.fixture(autouse=True)
def _no_proxy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the machine's own, where tests speak HTTP: others may download what they need by them."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") if request.path.parent.name in STRICT else ():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate by which the servers of `service` are trusted."""
    file = tmp_path_factory.mktemp("certificates") / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture
def server() -> Iterator[Loopback]:
    """Answers `{}` until a test says otherwise."""
    with Loopback(always(reply(body=b"{}"))) as server:
        yield server


@pytest.fixture
def service(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """The same over TLS, with a certificate that is trusted."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with Loopback(always(reply(body=b"{}")), tls) as service:
        yield service


@pytest.fixture
def prompt(request: pytest.FixtureRequest) -> str:
    """A text that no other test uses, so that nothing is found in a cache or collected from an earlier job."""
    return f"A lighthouse in the rain, {re.sub(r'[^a-z0-9]+', ' ', request.node.nodeid.lower())}"
