"""A place to send calls to, and an environment without the machine's own proxies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.loopback_server import Loopback, always, reply


@pytest.fixture(autouse=True)
def _straight(no_proxy: None) -> None:
    """Every call goes straight to where it is sent."""


@pytest.fixture
def server() -> Iterator[Loopback]:
    """Answers `{}` until a test says otherwise."""
    with Loopback(always(reply(body=b"{}"))) as server:
        yield server
