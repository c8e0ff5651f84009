"""What is made of an OpenCV of which only the folder is left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from nodes.video.decode import decode
from nodes.video.errors import NotAVideo
from nodes.video.probe import facts_of


@pytest.mark.parametrize("read", [decode, facts_of])
def test_a_broken_installation_is_called_that(
    monkeypatch: pytest.MonkeyPatch, clip: Path, read: Callable[[Path], object]
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", ModuleType("cv2"))
    with pytest.raises(NotAVideo, match="The installation of OpenCV is broken"):
        read(clip)
