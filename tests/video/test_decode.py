"""A video file into frames: which, how many, how large, and exactly which numbers."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import numpy as np
import pytest
import torch

from nodes.errors import StopRequested
from nodes.video import decode as decoding
from nodes.video.decode import decode
from nodes.video.errors import CorruptVideo, VideoError
from nodes.video.probe import Selection, probe
from tests.support.clips import Coding, frames_of, numbered, numbers_in, write_clip
from tests.video.conftest import FRAMES

COUNT = 200


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip in which every frame but a few depends on others in front of it and behind it."""
    options = {"preset": "veryfast", "crf": "18", "bf": "3", "b-pyramid": "normal", "g": "48", "sc_threshold": "0"}
    options |= {"b_strategy": "0"}  # B-frames also where they do not pay
    pictures = (numbered(number, 64, 32) for number in range(COUNT))
    return write_clip(tmp_path_factory.mktemp("long") / "long.mp4", pictures, coding=Coding(options=options))


def test_the_tensor_is_as_comfyui_wants_it_and_every_value_exactly_the_byte_that_it_sees_over_255(
    tmp_path: Path,
) -> None:
    patches = np.random.default_rng(5).integers(0, 256, (6, 8, 16, 3), np.uint8)
    file = write_clip(tmp_path / "colourful.mp4", patches.repeat(8, 1).repeat(8, 2))
    images = decode(file).images
    assert threads() == []
    assert (images.shape, images.dtype, images.device.type) == ((6, 64, 128, 3), torch.float32, "cpu")
    assert images.is_contiguous()
    assert not images.requires_grad
    assert np.array_equal(images.numpy(), frames_of(file).astype(np.float32) / np.float32(255))
    assert len(np.unique(images.numpy())) > 200


def test_every_combination_of_frame_controls_gives_the_same_frames_bit_for_bit(long: Path) -> None:
    whole = decode(long).images
    assert numbers_in(whole) == list(range(COUNT))
    for skip, cap, step in product((0, 1, 47, 48, 49, 95, 96, 97, 145, COUNT - 1), (0, 1, 7), (1, 3, 70)):
        selection = Selection(skip, cap, step)
        wanted = list(range(COUNT))[skip::step]
        wanted = wanted[:cap] if cap else wanted
        clip = decode(long, selection)
        assert torch.equal(clip.images, whole[wanted]), selection
        assert clip.info == probe(long, selection=selection), selection
        assert clip.info.frames == len(wanted), selection
        assert clip.info.fps == pytest.approx(24 / step), selection


def test_controls_that_leave_no_frame_say_how_many_there_are(clip: Path) -> None:
    for skip in (FRAMES, FRAMES + 1, 100_000):
        for read in (decode, lambda file, selection: probe(file, selection=selection)):
            with pytest.raises(VideoError, match=rf"{FRAMES} frames.*skip_first_frames"):
                read(clip, Selection(skip_first_frames=skip))


def test_only_what_is_needed_is_read(long: Path) -> None:
    """Asked before every packet and frame; the first frame of a file of gigabytes takes as few as that of this one."""
    for selection, most in ((Selection(0, 1), COUNT), (Selection(150, 2), 2 * COUNT), (Selection(), 4 * COUNT)):
        decode(long, selection, check_stop=(check_stop := Mock()))
        assert check_stop.call_count < most, selection


def test_progress_counts_the_wanted_frames(clip: Path) -> None:
    calls: list[tuple[int, int]] = []
    decode(clip, Selection(2, 4, 2), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_stop_is_heard_at_once_and_leaves_neither_memory_nor_thread(
    clip: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors, allocate = list[weakref.ref[torch.Tensor]](), decoding.allocate

    def watched(*args: Any) -> torch.Tensor:
        tensor = allocate(*args)
        tensors.append(weakref.ref(tensor))
        return tensor

    monkeypatch.setattr(decoding, "allocate", watched)
    for read in (decode, probe):
        with pytest.raises(StopRequested):
            read(clip, check_stop=Mock(side_effect=StopRequested))
    done = [0]

    def check_stop() -> None:
        if done[-1] >= 3:
            raise StopRequested

    with pytest.raises(StopRequested):
        decode(long, progress=lambda now, _: done.append(now), check_stop=check_stop)
    gc.collect()
    assert done[-1] <= 4
    assert [tensor() for tensor in tensors] == [None]
    assert threads() == []


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("seedance-convert")]


def test_a_file_that_ends_early_is_never_a_shorter_clip_even_if_its_last_box_is_open(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "cut.mp4", map(numbered, range(FRAMES)))
    data = bytearray(file.read_bytes())
    start = data.index(b"mdat") - 4
    data[start : start + 4] = bytes(4)
    file.write_bytes(data)
    assert numbers_in(decode(file).images) == list(range(FRAMES))
    for missing in (1, 50, 200):
        file.write_bytes(data[:-missing])
        for read in (decode, probe):
            with pytest.raises(CorruptVideo, match=r"cut\.mp4 breaks off after \d+ frames"):
                read(file)


def test_a_frame_that_the_decoder_leaves_out_is_missed(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "hole.mp4", map(numbered, range(FRAMES)))
    with av.open(str(file)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.pos]
    data = bytearray(file.read_bytes())
    data[max(places) + 4] = 0x0C  # the last picture, marked as padding
    file.write_bytes(data)
    with pytest.raises(CorruptVideo, match=r"hole\.mp4"):
        decode(file)


def test_a_file_name_is_only_ever_a_file_name(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg takes `%03d` for a series of pictures, and a colon for a protocol."""
    monkeypatch.chdir(tmp_path)
    names = ["clip-%03d.mp4", "Grün 風景 [1].mp4"]
    for name in names if sys.platform == "win32" else [*names, "http:clip.mp4", "a'b\"c.mp4"]:
        (tmp_path / name).write_bytes(clip.read_bytes())
        assert len(decode(tmp_path / name).images) == len(decode(Path(name)).images) == FRAMES, name


def test_a_tag_that_is_no_text_does_no_harm(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "tagged.mkv", [numbered(5)])
    assert b"Lavf" in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(b"Lavf", b"Lav\xff"))
    assert numbers_in(decode(file).images) == [5]
