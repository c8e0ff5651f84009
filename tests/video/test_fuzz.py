"""A few dozen damaged files, always the same; `python -m tests.video.fuzz` goes through thousands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from nodes.video.decode import decode
from tests.support.damage import DAMAGES, spoilt
from tests.video.fuzz import hunt, seeds


def test_damaged_videos_give_frames_or_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    healthy = seeds(tmp_path)
    assert [len(decode(file).images) for file in healthy] == [49, 48, 24, 12]
    outcomes = Counter(outcome for _, outcome in hunt(healthy, range(50), folder))
    assert [outcome for outcome in outcomes if outcome.startswith("!")] == []
    assert min(outcomes["frames"], outcomes["CorruptVideo"]) > 0
    assert list(folder.iterdir()) == []
    data = healthy[1].read_bytes()
    assert {spoilt(data, number)[0] for number in range(300)} == {damage.__name__ for damage in DAMAGES}
    assert sum(spoilt(data, number)[1] == data for number in range(100)) < 10
