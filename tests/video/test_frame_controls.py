"""Frame n is frame n, however it is reached, and reaching it takes no more than it must."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from nodes.video import decode as decoding
from nodes.video.decode import Selection, decode
from nodes.video.errors import Cancelled, CorruptVideo
from nodes.video.opencv import open_video
from tests.support.clips import Coding, numbered, numbers_in, plain, write_clip
from tests.video.conftest import FRAMES

COUNT = 200
SKIPS = (0, 1, 63, 64, 65, 95, 96, 97, 143, 144, 145, COUNT - 1)
CAPS = (0, 1, 7)
STEPS = (1, 3, 70)


@pytest.fixture(scope="module", params=["48", "300"], ids=["key-frames-every-48", "one-key-frame"])
def long(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip in which every frame but a few depends on others in front of it and behind it."""
    options = {"preset": "veryfast", "crf": "18", "bf": "3", "b-pyramid": "normal", "g": request.param}
    options |= {"keyint_min": request.param, "sc_threshold": "0"}
    pictures = (numbered(number, 64, 32) for number in range(COUNT))
    return write_clip(tmp_path_factory.mktemp("long") / "long.mp4", pictures, coding=Coding(options=options))


@pytest.fixture(scope="module")
def whole(long: Path) -> torch.Tensor:
    """All its frames, decoded the plain way."""
    return decode(long).images


def test_the_plain_way_gives_every_frame_in_its_order(whole: torch.Tensor) -> None:
    assert numbers_in(whole) == list(range(COUNT))


@pytest.mark.parametrize("skip", SKIPS)
def test_every_combination_gives_the_same_frames_bit_for_bit(long: Path, whole: torch.Tensor, skip: int) -> None:
    for cap, step in product(CAPS, STEPS):
        selection = Selection(skip, cap, step)
        images = decode(long, selection).images
        assert numbers_in(images) == list(selection.of(COUNT))
        assert torch.equal(images, whole[list(selection.of(COUNT))]), selection


def test_the_last_frame_alone_is_the_last_frame(long: Path, whole: torch.Tensor) -> None:
    assert torch.equal(decode(long, Selection(COUNT - 1)).images, whole[-1:])


class Counted:
    """A reader of frames that counts what is asked of it."""

    def __init__(self, reader: cv2.VideoCapture) -> None:
        self.reader = reader
        self.grabbed = self.retrieved = 0
        self.released = False
        self.ends_after = COUNT

    def grab(self) -> bool:
        self.grabbed += 1
        return self.grabbed <= self.ends_after and self.reader.grab()

    def retrieve(self, image: cv2.typing.MatLike | None) -> tuple[bool, cv2.typing.MatLike]:
        self.retrieved += 1
        return self.reader.retrieve(image)

    def get(self, prop: int) -> float:
        return self.reader.get(prop)

    def set(self, prop: int, value: float) -> bool:
        return self.reader.set(prop, value)

    def release(self) -> None:
        self.released = True
        self.reader.release()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Counted]:
    """The readers that decoding opens."""
    opened: list[Counted] = []

    def count(file: Path) -> Counted:
        opened.append(Counted(open_video(file)))
        return opened[-1]

    monkeypatch.setattr(decoding, "open_video", count)
    return opened


@pytest.mark.parametrize(
    ("selection", "grabbed", "retrieved"),
    [
        (Selection(), COUNT, COUNT),
        (Selection(0, 5), 5, 5),
        (Selection(10, 5, 3), 23, 5),
        (Selection(0, 0, 50), 151, 4),
        (Selection(150, 2), 2, 2),
        (Selection(COUNT - 1), 1, 1),
    ],
    ids=str,
)
def test_only_what_is_needed_is_decoded(
    long: Path, counted: list[Counted], selection: Selection, grabbed: int, retrieved: int
) -> None:
    decode(long, selection)
    (reader,) = counted
    assert (reader.grabbed, reader.retrieved) == (grabbed, retrieved)
    assert reader.released


def test_a_stop_ends_the_decoding_within_a_frame(tmp_path: Path, counted: list[Counted]) -> None:
    file = write_clip(tmp_path / "large.mp4", [plain(90, 90, 90, 1920, 1080)] * 12)
    stop = threading.Event()
    at_stop = 0

    def progress(done: int, total: int) -> None:
        nonlocal at_stop
        if done == 4:
            at_stop = counted[0].grabbed
            stop.set()

    with pytest.raises(Cancelled):
        decode(file, progress=progress, stopped=stop.is_set)
    # The frame that was being decoded just then, and none behind it.
    assert counted[0].grabbed <= at_stop + 1
    assert counted[0].released


@pytest.fixture
def tensors(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[torch.Tensor]]:
    """What is allocated for the frames, without keeping it alive."""
    allocated: list[weakref.ref[torch.Tensor]] = []
    empty = torch.empty

    def watched(*args: object, **options: object) -> torch.Tensor:
        tensor: torch.Tensor = empty(*args, **options)  # type: ignore[call-overload]  # handed on as it came
        allocated.append(weakref.ref(tensor))
        return tensor

    monkeypatch.setattr(torch, "empty", watched)
    return allocated


def helpers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("seedance-decode")]


@pytest.mark.parametrize("how", [Cancelled, CorruptVideo])
def test_a_decoding_that_fails_leaves_neither_memory_nor_thread(
    clip: Path, counted: list[Counted], tensors: list[weakref.ref[torch.Tensor]], how: type[Exception]
) -> None:
    def fail_soon(done: int, total: int) -> None:
        if done == 3 and how is CorruptVideo:
            counted[0].ends_after = 6
        elif done == 3:
            stop.set()

    stop = threading.Event()
    with pytest.raises(how):
        decode(clip, progress=fail_soon, stopped=stop.is_set)
    gc.collect()
    (tensor,) = tensors
    assert tensor() is None
    assert counted[0].released
    assert helpers() == []


def test_a_decoding_that_succeeds_leaves_no_thread(clip: Path) -> None:
    images = decode(clip).images
    assert len(images) == FRAMES
    assert helpers() == []


@pytest.fixture
def restored() -> Iterator[None]:
    """What other packs set is set back after the test."""
    opencv, pytorch = cv2.getNumThreads(), torch.get_num_threads()
    yield
    cv2.setNumThreads(opencv)
    torch.set_num_threads(pytorch)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("opencv", [0, 1, 2])
@pytest.mark.parametrize("pytorch", [1, 2])
def test_the_thread_settings_of_others_neither_matter_nor_change(clip: Path, opencv: int, pytorch: int) -> None:
    expected = decode(clip).images
    cv2.setNumThreads(opencv)
    torch.set_num_threads(pytorch)
    before = cv2.getNumThreads(), torch.get_num_threads()
    assert np.array_equal(decode(clip).images.numpy(), expected.numpy())
    assert (cv2.getNumThreads(), torch.get_num_threads()) == before
