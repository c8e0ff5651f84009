"""What is left in memory, and what is said when it is not enough."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest

from nodes.video import memory
from nodes.video.errors import NotEnoughMemory
from nodes.video.memory import SPARE, allocate, available_memory, check_memory, container_memory

GB = 10**9


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n")
    return root


FILE = Path("job.mp4")


def test_what_fits_is_let_through_and_not_a_byte_more() -> None:
    check_memory(GB, 100, FILE, left=GB + SPARE)
    with pytest.raises(NotEnoughMemory):
        check_memory(GB, 100, FILE, left=GB + SPARE - 1)


def test_what_does_not_fit_is_refused_with_both_figures_and_the_ways_out() -> None:
    with pytest.raises(NotEnoughMemory) as refused:
        check_memory(7_200_000_000, 288, FILE, left=3_600_000_000 + SPARE)
    message = str(refused.value)
    assert "288 frames need 7.2 GB" in message
    assert "3.9 GB are left" in message
    assert "frame_load_cap up to 144" in message
    assert all(way in message for way in ("select_every_nth", "video output", "lower resolution"))
    assert message.endswith("Nothing is lost: the video is job.mp4.")


def test_what_the_system_then_does_not_give_is_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 2**63)
    with pytest.raises(NotEnoughMemory, match=r"need \d+\.\d GB of memory, and 0\.0 GB are left"):
        allocate((2**16, 2**14, 2**14, 3), FILE)


def test_this_machine_has_some_memory_left() -> None:
    assert available_memory() > 0


@pytest.mark.parametrize(("groups", "left"), [([], 5000), ([7000], 5000), ([7000, 3000], 3000)])
def test_the_least_of_all_limits_counts(groups: list[int], left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Mock(available=5000))
    monkeypatch.setattr(memory, "container_memory", lambda root: iter(groups))
    assert available_memory() == left


def test_every_group_around_the_process_counts(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/outer/inner",
            "sys/fs/cgroup/outer/inner/memory.max": "max",
            "sys/fs/cgroup/outer/inner/memory.current": "5",
            "sys/fs/cgroup/outer/inner/memory.stat": "inactive_file 1",
            "sys/fs/cgroup/outer/memory.max": "1000",
            "sys/fs/cgroup/outer/memory.current": "700",
            "sys/fs/cgroup/outer/memory.stat": "anon 3\ninactive_file 200",
        },
    )
    assert list(container_memory(root)) == [500]


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    group = {"memory.max": "1000", "memory.current": "100", "memory.stat": "inactive_file 0"}
    files = {f"sys/fs/cgroup/{name}": content for name, content in group.items()}
    root = write(tmp_path, files | {"proc/self/cgroup": "0::/"})
    assert list(container_memory(root)) == [900]


def test_version_1_groups_are_read_too(tmp_path: Path) -> None:
    group = {
        "memory.limit_in_bytes": "1000",
        "memory.usage_in_bytes": "400",
        "memory.stat": "cache 0\ntotal_inactive_file 50",
    }
    files = {f"sys/fs/cgroup/memory/docker/{name}": content for name, content in group.items()}
    root = write(tmp_path, files | {"proc/self/cgroup": "5:cpu:/\n4:memory:/docker"})
    assert list(container_memory(root)) == [650]


def test_without_groups_there_is_no_such_limit(tmp_path: Path) -> None:
    assert list(container_memory(tmp_path)) == []
