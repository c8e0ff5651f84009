"""Three real ComfyUI servers at one journal, while one is killed, the database restarted and the budget reached."""

from __future__ import annotations

from pathlib import Path

from tests.support.postgres import Postgres
from tools.soak.servers import soak


def test_three_servers_buy_every_video_once(tmp_path: Path, postgres: Postgres) -> None:
    troubles = ("kill", "restart the database", "cut", "cut", "budget")
    assert soak(tmp_path, postgres, 12, seed=1, troubles=troubles) == []
