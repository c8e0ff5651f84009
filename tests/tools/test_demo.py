"""What the demo decides without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.comfyui_client import NodeFailure, Run, Status
from tools.demo import DemoFailed, demo_graph, main, saved_video, service_environment


def test_rehearsal_knows_nothing_of_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "secret")
    assert service_environment("rehearsal") == {}


def test_live_hands_over_the_token_and_the_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "secret")
    monkeypatch.setenv("RUNCOMFY_API_BASE_URL", "http://127.0.0.1:1")
    assert service_environment("live") == {
        "RUNCOMFY_API_TOKEN": "secret",
        "RUNCOMFY_API_BASE_URL": "http://127.0.0.1:1",
    }


def test_live_without_a_token_stops_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RUNCOMFY_API_TOKEN", raising=False)
    monkeypatch.setattr("sys.argv", ["demo", "--mode", "live"])
    assert main() == 1
    said = capsys.readouterr()
    assert "RUNCOMFY_API_TOKEN" in said.err
    assert said.out == ""


def test_live_asks_for_the_services_own_defaults() -> None:
    graph = demo_graph("live", "A fox")
    assert graph["1"]["inputs"] == {"resolution": "480p", "ratio": "16:9", "duration": 5, "seed": 38810827}
    assert graph["2"]["inputs"]["reuse"] is True


def test_a_failed_run_is_told_in_the_nodes_words() -> None:
    failure = NodeFailure("2", "SeedanceTextToVideo", "ServiceError", "No balance left.")
    with pytest.raises(DemoFailed, match=r"SeedanceTextToVideo said: No balance left\."):
        saved_video(Run("p", Status.ERROR, [], {}, failure), Path("output"))
