"""Memory is there before the frames are, and nothing else about the tensor changes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from threading import Event

import pytest
import torch

from nodes.video import prefault as pages
from nodes.video.prefault import BLOCK, prefault, touch

SIZE = 8 * BLOCK
PATIENCE = 30.0


def resident() -> int:
    """Bytes of memory that this process has."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked")
def test_a_tensor_gets_its_memory_without_being_written_to() -> None:
    before = resident()
    images = torch.empty(SIZE, dtype=torch.uint8)
    assert resident() - before < BLOCK
    touch(images, Event())
    assert resident() - before > SIZE - BLOCK


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked")
def test_nothing_more_is_asked_for_once_it_is_over() -> None:
    before = resident()
    images = torch.empty(SIZE, dtype=torch.uint8)
    over = Event()
    over.set()
    touch(images, over)
    assert resident() - before < BLOCK


@pytest.mark.parametrize("count", [1, 5000, 3 * BLOCK + 1])
def test_what_is_in_the_tensor_and_behind_it_stays(count: int) -> None:
    values = torch.arange(count + 1, dtype=torch.float32)
    expected = values.clone()
    touch(values[1:-1], Event())
    assert torch.equal(values, expected)


def test_nobody_is_at_work_any_more_behind_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tensor may be gone by then."""
    ended = Event()

    def slow_to_end(images: torch.Tensor, over: Event) -> None:
        assert over.wait(PATIENCE)
        Event().wait(0.1)
        ended.set()

    monkeypatch.setattr(pages, "touch", slow_to_end)
    with prefault(torch.empty(4)):
        assert not ended.is_set()
    assert ended.is_set()


def test_an_error_while_filling_comes_through() -> None:
    with pytest.raises(KeyError), prefault(torch.empty(SIZE, dtype=torch.uint8)):
        raise KeyError
