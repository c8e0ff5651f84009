"""A video file into frames: which, how many, how large, and exactly which numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from nodes.video.decode import Clip, Selection, decode
from nodes.video.errors import Cancelled, CorruptVideo, NothingSelected, UnsupportedVideo
from tests.support.clips import number_in, numbered, plain, write_clip
from tests.video.conftest import FRAMES


@pytest.fixture(scope="module")
def colourful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frames of random patches."""
    patches = np.random.default_rng(5).integers(0, 256, (6, 8, 16, 3), np.uint8)
    return write_clip(tmp_path_factory.mktemp("clips") / "colourful.mp4", patches.repeat(8, 1).repeat(8, 2))


def numbers(clip: Clip) -> list[int]:
    return [number_in(frame) for frame in clip.images.numpy()]


def test_all_frames_in_their_order(clip: Path) -> None:
    assert numbers(decode(clip)) == list(range(FRAMES))


def test_the_tensor_is_as_comfyui_wants_it(clip: Path) -> None:
    images = decode(clip).images
    assert images.shape == (FRAMES, 64, 128, 3)
    assert images.dtype is torch.float32
    assert images.is_contiguous()
    assert images.device.type == "cpu"
    assert not images.requires_grad
    assert 0 <= images.min() <= images.max() <= 1


def test_every_value_is_exactly_a_byte_over_255(colourful: Path) -> None:
    values = decode(colourful).images.numpy()
    whole = np.rint(values * 255).astype(np.uint8)
    assert np.array_equal(values, whole.astype(np.float32) / np.float32(255))
    assert len(np.unique(whole)) > 200


def test_the_picture_is_the_one_that_other_decoders_see(colourful: Path) -> None:
    with av.open(str(colourful)) as container:
        expected = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    found = np.rint(decode(colourful).images.numpy() * 255)
    assert np.abs(found - expected).mean() < 1
    assert np.abs(found - expected).max() <= 8


@pytest.mark.parametrize(
    "colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 100, 50)], ids=str
)
def test_the_order_is_red_green_blue(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    images = decode(write_clip(tmp_path / "plain.mp4", [plain(*colour)])).images
    assert np.abs(images[0].mean(dim=(0, 1)).numpy() * 255 - colour).max() < 4


@pytest.mark.parametrize(("width", "height"), [(64, 128), (128, 64), (864, 480), (72, 50)])
def test_the_size_is_the_files(tmp_path: Path, width: int, height: int) -> None:
    file = write_clip(tmp_path / "sized.mp4", [plain(9, 9, 9, width, height)] * 2)
    assert decode(file).images.shape == (2, height, width, 3)


@pytest.mark.parametrize("count", [1, 2, 49])
def test_the_number_of_frames_is_the_files(tmp_path: Path, count: int) -> None:
    assert len(decode(write_clip(tmp_path / "counted.mp4", [plain(9, 9, 9)] * count)).images) == count


@pytest.mark.parametrize("fps", [24, 25, 30])
def test_the_rate_is_the_files_whatever_is_selected(tmp_path: Path, fps: int) -> None:
    file = write_clip(tmp_path / "rated.mp4", map(numbered, range(6)), fps=fps)
    assert decode(file).fps == pytest.approx(fps)
    assert decode(file, Selection(select_every_nth=2)).fps == pytest.approx(fps)


@pytest.mark.parametrize("skip", [0, 1, 5, 11])
@pytest.mark.parametrize("cap", [0, 1, 3, 100])
@pytest.mark.parametrize("nth", [1, 2, 5, 100])
def test_the_frame_controls(clip: Path, skip: int, cap: int, nth: int) -> None:
    wanted = list(range(FRAMES))[skip::nth]
    assert numbers(decode(clip, Selection(skip, cap, nth))) == (wanted[:cap] if cap else wanted)


@pytest.mark.parametrize("skip", [FRAMES, FRAMES + 1, 100_000])
def test_controls_that_leave_no_frame_say_how_many_there_are(clip: Path, skip: int) -> None:
    with pytest.raises(NothingSelected, match=rf"{FRAMES} frames.*skip_first_frames"):
        decode(clip, Selection(skip_first_frames=skip))


def test_progress_counts_the_wanted_frames(clip: Path) -> None:
    told: list[tuple[int, int]] = []
    decode(clip, Selection(2, 4, 2), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (4, 4)
    assert told == sorted(told)
    assert {total for _, total in told} == {4}


def test_stop_is_heard_at_once(clip: Path) -> None:
    with pytest.raises(Cancelled):
        decode(clip, stopped=lambda: True)


def test_stop_is_heard_between_frames(clip: Path) -> None:
    done = 0

    def progress(now: int, total: int) -> None:
        nonlocal done
        done = now

    with pytest.raises(Cancelled):
        decode(clip, progress=progress, stopped=lambda: done >= 3)
    assert done < FRAMES


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("index_in_front", [True, False])
def test_a_truncated_file_is_damaged_and_never_a_shorter_clip(
    tmp_path: Path, part: float, index_in_front: bool
) -> None:
    file = write_clip(tmp_path / "cut.mp4", map(numbered, range(FRAMES)), index_in_front=index_in_front)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(CorruptVideo, match=r"cut\.mp4"):
        decode(file)


@pytest.mark.parametrize("data", [b"", b"<html>Expired</html>", b"{}", bytes(5000)])
def test_what_is_no_video_is_told_as_such(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "page.mp4"
    file.write_bytes(data)
    with pytest.raises(UnsupportedVideo, match=r"page\.mp4"):
        decode(file)


not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such names")


@pytest.mark.parametrize(
    "name",
    [
        "clip-%03d.mp4",
        "Grün 風景 [1].mp4",
        pytest.param("http:clip.mp4", marks=not_on_windows),
        pytest.param("a'b\"c.mp4", marks=not_on_windows),
    ],
)
def test_a_file_name_is_only_ever_a_file_name(tmp_path: Path, clip: Path, name: str) -> None:
    """OpenCV takes `%03d` for a series of pictures, and FFmpeg a colon for a protocol."""
    file = tmp_path / name
    file.write_bytes(clip.read_bytes())
    assert len(decode(file).images) == FRAMES
