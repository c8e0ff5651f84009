"""An environment without the machine's own proxies."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _straight(no_proxy: None) -> None:
    """Every call goes straight to where it is sent."""
