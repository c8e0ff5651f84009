"""Rules for every test of this project."""

from __future__ import annotations

import os

import pytest


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
