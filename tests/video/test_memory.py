"""What is left in memory, and what is said when it is not enough."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest
import torch

from nodes.video import decode
from nodes.video.decode import SPARE_MEMORY, allocate, available_memory, container_memory
from nodes.video.errors import VideoError

FILE = Path("job.mp4")
GROUP = "sys/fs/cgroup"


def refusal(shape: tuple[int, ...]) -> str:
    with pytest.raises(VideoError) as refused:
        allocate(shape, FILE)
    return str(refused.value)


def test_what_fits_is_given_and_not_a_byte_more_and_both_figures_and_the_ways_out_are_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = Mock(return_value=100 * 2 * 2 * 3 * 4 + SPARE_MEMORY)
    monkeypatch.setattr(decode, "available_memory", left)
    images = allocate((100, 2, 2, 3), FILE)
    assert (images.shape, images.dtype) == ((100, 2, 2, 3), torch.float32)
    left.return_value -= 1
    assert "frame_load_cap up to 99" in refusal((100, 2, 2, 3))
    left.return_value = 3_600_000_000 + SPARE_MEMORY
    message = refusal((288, 1250, 5000, 1))
    figures = ("288 frames need 7.2 GB", "frame_load_cap up to 144", "3.9 GB are left")
    for words in (*figures, "select_every_nth", "video output", "lower resolution"):
        assert words in message, message
    assert message.endswith("Nothing is lost: the video is job.mp4, and costs nothing to load.")
    left.return_value = 2**63
    assert "and 0.0 GB are left" in refusal((2**16, 2**14, 2**14, 3)), "what the system then does not give"


def test_the_least_of_all_limits_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_memory() > 0
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Mock(available=5000))
    for groups, left in (([], 5000), ([7000], 5000), ([7000, 3000], 3000)):
        monkeypatch.setattr(decode, "container_memory", Mock(return_value=groups))
        assert available_memory() == left, groups


def test_the_limits_of_control_groups(tmp_path: Path) -> None:
    assert list(container_memory(tmp_path)) == [], "a system without them"
    inner, outer = (f"{GROUP}/outer/inner", "900 5 0"), (f"{GROUP}/outer", "1000 700 200")
    rows: dict[str, tuple[str, list[tuple[str, str]], list[int]]] = {
        "no limit": ("0::/outer", [(f"{GROUP}/outer", "max 5 0")], []),
        "every group around the process": ("0::/outer/inner", [inner, outer], [895, 500]),
        "a container sees its own group as the root": ("0::/", [(GROUP, "1000 100 0")], [900]),
        "with a path that is only seen outside": ("0::/docker/abc", [(GROUP, "1000 100 0")], [900]),
        "version 1": ("4:memory:/docker\n0::/", [(f"{GROUP}/memory/docker", "10 5 0")], []),
    }
    for name, (lines, groups, left) in rows.items():
        (tmp_path / name / "proc/self").mkdir(parents=True)
        (tmp_path / name / "proc/self/cgroup").write_text(f"{lines}\n", encoding="utf-8")
        for folder, numbers in groups:
            most, used, cached = numbers.split()
            files = {"max": most, "current": used, "stat": f"anon 3\ninactive_file {cached}"}
            (tmp_path / name / folder).mkdir(parents=True, exist_ok=True)
            for file, text in files.items():
                (tmp_path / name / folder / f"memory.{file}").write_text(f"{text}\n", encoding="utf-8")
        assert list(container_memory(tmp_path / name)) == left, name
