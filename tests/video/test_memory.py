"""What is left in memory, and what is said when it is not enough."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from unittest.mock import Mock

import psutil
import pytest
import torch

from nodes.video import memory
from nodes.video.errors import VideoError
from nodes.video.memory import SPARE, allocate, available_memory, container_memory

FILE = Path("job.mp4")


def test_what_fits_is_given_and_not_a_byte_more(monkeypatch: pytest.MonkeyPatch) -> None:
    need = 100 * 2 * 2 * 3 * 4
    monkeypatch.setattr(memory, "available_memory", lambda: need + SPARE)
    images = allocate((100, 2, 2, 3), FILE)
    assert (images.shape, images.dtype) == ((100, 2, 2, 3), torch.float32)
    monkeypatch.setattr(memory, "available_memory", lambda: need + SPARE - 1)
    with pytest.raises(VideoError):
        allocate((100, 2, 2, 3), FILE)


def test_what_does_not_fit_is_refused_with_both_figures_and_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 3_600_000_000 + SPARE)
    with pytest.raises(VideoError) as refused:
        allocate((288, 1250, 5000, 1), FILE)
    message = str(refused.value)
    assert "288 frames need 7.2 GB" in message
    assert "frame_load_cap up to 144" in message
    assert "3.9 GB are left" in message
    assert all(way in message for way in ("select_every_nth", "video output", "lower resolution"))
    assert message.endswith("Nothing is lost: the video is job.mp4, and costs nothing to load.")


def test_what_the_system_then_does_not_give_is_refused_in_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 2**63)
    with pytest.raises(VideoError, match=r"need \d+\.\d GB of memory, and 0\.0 GB are left"):
        allocate((2**16, 2**14, 2**14, 3), FILE)


def test_the_least_of_all_limits_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_memory() > 0
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Mock(available=5000))
    for groups, left in (([], 5000), ([7000], 5000), ([7000, 3000], 3000)):
        monkeypatch.setattr(memory, "container_memory", Mock(return_value=groups))
        assert available_memory() == left, groups


V2 = "sys/fs/cgroup"


def group(most: object, used: int, cached: int = 0) -> dict[str, str]:
    """The files of a group."""
    return {"memory.max": str(most), "memory.current": str(used), "memory.stat": f"anon 3\ninactive_file {cached}"}


GROUPS: Final[dict[str, tuple[str, dict[str, dict[str, str]], list[int]]]] = {
    "no limit": ("0::/outer", {f"{V2}/outer": group("max", 5)}, []),
    "every group around the process": (
        "0::/outer/inner",
        {f"{V2}/outer/inner": group(900, 5), f"{V2}/outer": group(1000, 700, 200)},
        [895, 500],
    ),
    "a container sees its own group as the root": ("0::/", {V2: group(1000, 100)}, [900]),
    "with a path that is only seen outside": ("0::/docker/abc", {V2: group(1000, 100)}, [900]),
    "version 1": ("4:memory:/docker\n0::/", {f"{V2}/memory/docker": group(10, 5)}, []),
}


def test_the_limits_of_control_groups(tmp_path: Path) -> None:
    assert list(container_memory(tmp_path)) == [], "a system without them"
    for name, (lines, groups, left) in GROUPS.items():
        root = tmp_path / name
        for folder, files in {"proc/self": {"cgroup": lines}, **groups}.items():
            (root / folder).mkdir(parents=True, exist_ok=True)
            for file, text in files.items():
                (root / folder / file).write_text(text + "\n", encoding="utf-8")
        assert list(container_memory(root)) == left, name
