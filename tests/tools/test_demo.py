"""The demo: what it hands to the server, and its closing figures, which come from decoding."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.clips import plain, write_clip
from tools.comfyui_client import NodeFailure, Run, Status
from tools.contact_sheet import Footage, write_contact_sheet
from tools.demo import DemoFailed, demo_graph, main, saved_video, service_environment


def test_only_live_hands_over_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    account = {"RUNCOMFY_API_TOKEN": "secret", "RUNCOMFY_API_BASE_URL": "http://127.0.0.1:1"}
    for name, value in account.items():
        monkeypatch.setenv(name, value)
    assert service_environment("rehearsal") == {}
    assert service_environment("live") == account


def test_live_without_a_token_stops_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RUNCOMFY_API_TOKEN", raising=False)
    monkeypatch.setattr("sys.argv", ["demo", "--mode", "live"])
    assert main() == 1
    printed = capsys.readouterr()
    assert "RUNCOMFY_API_TOKEN" in printed.err
    assert printed.out == ""


def test_live_asks_for_the_services_own_defaults_and_never_buys_twice() -> None:
    graph = demo_graph("live", "A fox")
    assert graph["1"]["inputs"] == {"resolution": "480p", "ratio": "16:9", "duration": 5, "seed": 38810827}
    assert graph["2"]["inputs"]["reuse"] is True


def test_a_failed_run_ends_in_the_nodes_words() -> None:
    failure = NodeFailure("2", "SeedanceTextToVideo", "ServiceError", "No balance left.")
    with pytest.raises(DemoFailed, match=r"SeedanceTextToVideo said: No balance left\."):
        saved_video(Run("p", Status.ERROR, [], {}, failure), Path("output"))


def test_figures_and_sheet_of_a_clip(tmp_path: Path) -> None:
    shades = (plain(level, level, level, 160, 96) for level in range(0, 250, 10))
    sheet = tmp_path / "sheet.png"
    assert write_contact_sheet(write_clip(tmp_path / "clip.mp4", shades), sheet) == Footage(25, 160, 96)
    with Image.open(sheet) as picture:
        width, height = picture.size
        first, last = (picture.getpixel((width * x // 8, height * y // 6)) for x, y in ((1, 1), (7, 5)))
    assert isinstance(first, tuple)
    assert isinstance(last, tuple)
    assert max(first) < 8
    assert abs(min(last) - 240) < 8
