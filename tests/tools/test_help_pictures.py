"""The drawn pictures of the help pages are those that the command draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.drawings import check_drawn_alike_again
from tools.help_pictures import ASSETS, PICTURES


@pytest.mark.parametrize("name", PICTURES)
def test_it_is_drawn_alike_again(name: str, tmp_path: Path) -> None:
    check_drawn_alike_again(PICTURES[name], ASSETS / f"{name}.jpg", tmp_path)
