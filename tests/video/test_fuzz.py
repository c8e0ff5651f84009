"""A few dozen damaged files, always the same; `python -m tests.video.fuzz` goes through thousands."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from nodes.video.decode import decode
from tests.support.damage import DAMAGES, spoilt
from tests.video.fuzz import hunt, seeds


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return seeds(tmp_path_factory.mktemp("healthy"))


def test_the_healthy_files_are(healthy: list[Path]) -> None:
    assert [len(decode(file).images) for file in healthy] == [49, 48, 24, 12]


def test_damaged_videos_give_frames_or_an_error(healthy: list[Path], tmp_path: Path) -> None:
    outcomes = Counter(outcome for _, outcome in hunt(healthy, iter(range(50)), tmp_path))
    assert [outcome for outcome in outcomes if outcome.startswith("!")] == []
    assert min(outcomes["frames"], outcomes["CorruptVideo"]) > 0
    assert list(tmp_path.iterdir()) == []


def test_every_kind_of_damage_is_done_and_the_same_for_a_number(healthy: list[Path]) -> None:
    data = healthy[1].read_bytes()
    assert {spoilt(data, number)[0] for number in range(300)} == {damage.__name__ for damage in DAMAGES}
    assert all(spoilt(data, number) == spoilt(data, number) for number in range(20))
    assert sum(spoilt(data, number)[1] == data for number in range(100)) < 10


def crash_at_the_second(file: Path) -> str:
    if file.name.startswith("1-"):
        os.abort()
    return "frames"


def test_a_crash_is_seen_and_its_file_is_kept(healthy: list[Path], tmp_path: Path) -> None:
    found = list(hunt(healthy, iter(range(3)), tmp_path, crash_at_the_second))
    assert [outcome for _, outcome in found] == ["frames", "!the process ended with -6", "frames"]
    assert list(tmp_path.iterdir()) == [found[1][0]]
