"""A soak in miniature, so that the real one, which takes minutes, still works when somebody needs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.soak.__main__ import soak

SECONDS = 12.0


def test_a_short_storm_costs_no_job(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert soak(tmp_path, SECONDS, seed=2) == 0, capfd.readouterr().out
    told = capfd.readouterr().out
    assert "1 of ComfyUI" in told
    assert "No job lost, none bought twice, nothing grew." in told
