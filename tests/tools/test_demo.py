"""The demo: what it hands to the server, and its closing figures, which come from decoding."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

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
    clip, sheet = tmp_path / "clip.mp4", tmp_path / "sheet.png"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 24, (160, 96))
    for number in range(25):
        writer.write(np.full((96, 160, 3), number * 10, np.uint8))
    writer.release()
    assert write_contact_sheet(clip, sheet) == Footage(25, 160, 96)
    picture = cv2.imread(str(sheet))
    assert picture is not None
    height, width = picture.shape[:2]
    # Four columns and three rows: the first cell shows the first frame, the last one the last.
    assert abs(int(picture[height // 6, width // 8, 0]) - 0) < 8
    assert abs(int(picture[-height // 6, -width // 8, 0]) - 240) < 8
