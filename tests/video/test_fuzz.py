"""A few dozen damaged files, always the same; `python -m tests.video.fuzz` goes through thousands."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from nodes.video.decode import decode
from tests.support.damage import DAMAGES, spoilt
from tests.video import fuzz
from tests.video.fuzz import hunt, seeds


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return seeds(tmp_path_factory.mktemp("healthy"))


def test_damaged_videos_give_frames_or_an_error(healthy: list[Path], tmp_path: Path) -> None:
    told: Counter[str] = Counter()
    assert list(hunt(healthy, count(), tmp_path, told)) == []
    assert sum(told.values()) == fuzz.BATCH
    assert min(told["frames"], told["CorruptVideo"]) > 0


def test_every_kind_of_damage_is_done_and_the_same_for_a_number(healthy: list[Path]) -> None:
    data = healthy[1].read_bytes()
    assert {spoilt(data, number)[0] for number in range(300)} == {damage.__name__ for damage in DAMAGES}
    assert all(spoilt(data, number) == spoilt(data, number) for number in range(20))
    assert sum(spoilt(data, number)[1] == data for number in range(100)) < 10


def hunted(folder: Path, healthy: list[Path]) -> list[str]:
    return [defect.problem for defect in hunt(healthy[1:2], iter(range(3)), folder, Counter())]


def test_a_crash_is_seen_and_told_from_an_error(
    healthy: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crashing(files: Sequence[Path]) -> list[str]:
        return [sys.executable, "-c", "import os; os.abort()"]

    monkeypatch.setattr(fuzz, "command", crashing)
    monkeypatch.setattr(fuzz, "BATCH", 3)
    assert [problem.startswith("the process ended with ") for problem in hunted(tmp_path, healthy)] == [True] * 3


def test_the_healthy_files_are(healthy: list[Path]) -> None:
    assert [len(decode(file).images) for file in healthy] == [49, 48, 24, 12]
