"""The demo spends money and hands over a token only where that is asked for."""

from __future__ import annotations

import pytest

from tools.demo import demo_graph, main, service_environment


def test_only_live_hands_over_the_token_and_never_buys_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    account = {"RUNCOMFY_API_TOKEN": "secret", "RUNCOMFY_API_BASE_URL": "http://127.0.0.1:1"}
    for name, value in account.items():
        monkeypatch.setenv(name, value)
    assert service_environment("rehearsal") == {}
    assert service_environment("live") == account
    assert demo_graph("live", "A fox")["2"]["inputs"]["reuse"] is True


def test_live_without_a_token_stops_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RUNCOMFY_API_TOKEN", raising=False)
    monkeypatch.setattr("sys.argv", ["demo", "--mode", "live"])
    assert main() == 1
    printed = capsys.readouterr()
    assert "RUNCOMFY_API_TOKEN" in printed.err
    assert printed.out == ""
