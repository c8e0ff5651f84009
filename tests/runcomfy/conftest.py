"""A place to send calls to, and an environment without the machine's own proxies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loopback import Loopback, always, reply


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """Answers `{}` until a test says otherwise."""
    with Loopback(always(reply(body=b"{}"))) as server:
        yield server
