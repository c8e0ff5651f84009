"""Collects the figures of these tests and prints them at the end."""

from __future__ import annotations

import pytest

from tests.faults.figures import Figures

_KEY = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_KEY] = Figures()


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    return pytestconfig.stash[_KEY]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[_KEY].lines():
        terminalreporter.write_line(line)
