"""Three real ComfyUI servers at one journal, while one is killed and the database is restarted."""

from __future__ import annotations

from pathlib import Path

from tests.support.postgres import Postgres
from tools.soak.servers import Troubles, soak


def test_three_servers_buy_every_video_once(tmp_path: Path, postgres: Postgres) -> None:
    assert soak(tmp_path, postgres, 30, Troubles(kills=1, database_restarts=1, cuts=3), seed=1) == []
