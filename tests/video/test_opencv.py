"""What is made of an OpenCV of which only the folder is left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from nodes.video.decode import decode
from nodes.video.errors import UnsupportedVideo
from nodes.video.probe import probe


@pytest.mark.parametrize("read", [decode, probe])
def test_a_broken_installation_is_called_that(
    monkeypatch: pytest.MonkeyPatch, clip: Path, read: Callable[[Path], object]
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", ModuleType("cv2"))
    with pytest.raises(UnsupportedVideo, match="The installation of OpenCV is broken"):
        read(clip)
