"""Frames per second, whatever a header claims."""

from __future__ import annotations

import math

import pytest

from nodes.video.probe import UNTOLD_FPS, rate


@pytest.mark.parametrize(
    ("said", "frames", "seconds", "fps"),
    [
        (24.0, 121, 5.0, 24.0),
        (23.976, 121, 120 / 23.976, 23.976),
        (60.0, 25, 1.0, 25 / (1 + 1 / 60)),
        (0.0, 25, 1.0, 24.0),
        (-5.0, 25, 1.0, 24.0),
        (math.nan, 49, 2.0, 24.0),
        (math.inf, 49, 2.0, 24.0),
        (0.0, 1, 0.0, UNTOLD_FPS),
        (30.0, 1, 0.0, 30.0),
    ],
)
def test_rate(said: float, frames: int, seconds: float, fps: float) -> None:
    assert rate(said, frames, seconds) == pytest.approx(fps)
