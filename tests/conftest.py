"""Rules for every test of this project."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SLOWEST = ("comfyui", "hostile", "browser", "install", "faults", "tools", "jobs")
"""Folders in the order in which two processes take them, so that neither is left with a long one at the end."""
ONE_SERVER = ("comfyui", "hostile", "browser", "install")
"""Folders whose tests share a ComfyUI, and so a process."""


def pytest_configure() -> None:
    # A shell ignores Ctrl+C for what it starts in the background, and every process that a test starts would as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Set the order, and what `--dist=loadgroup` may not divide: a folder with a server, else a file."""
    order = {name: number for number, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: order.get(folder_of(item), len(order)))
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            folder = folder_of(item)
            item.add_marker(pytest.mark.xdist_group(folder if folder in ONE_SERVER else str(item.path)))


def folder_of(item: pytest.Item) -> str:
    """Where in `tests/` it is; for a test elsewhere, its file."""
    return item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else str(item.path)


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


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the machine's own proxies; for the rooms that speak HTTP."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
