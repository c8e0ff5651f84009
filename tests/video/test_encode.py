"""A video that is read a few frames at a time and written again: the same frames, times, colours and sound."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
import pytest
import torch

from nodes.video.decode import FileFrames, FrameSource, TensorFrames, decode
from nodes.video.encode import BT601, BT709, Format, VideoWriter, finished_frames, remove_unfinished, to_pictures
from nodes.video.errors import DiskFailure
from tests.support.clips import FFMPEG, X264, Coding, make, number_in, numbered, sound_of, source, times_of, write_clip
from tests.video.test_colours import COLOURS, SHARP, centres, chart

WHOLE: Final = (0.0, 0.0)


@dataclass(frozen=True)
class Row:
    arguments: str
    frames: int = 30
    size: tuple[int, int] = (160, 128)
    sound: str = ""
    is_copied: bool = True
    window: tuple[float, float] = WHOLE


BEEP = "-f lavfi -i sine=d=1"
ROWS: Final = {
    "plain.mp4": Row(f"{source(seconds=1)} {X264}"),
    "aac.mp4": Row(f"{source(seconds=1)} {BEEP} {X264} -c:a aac", sound="aac"),
    "opus.webm": Row(f"{source(seconds=1)} {BEEP} -c:v libvpx -c:a libopus", sound="opus"),
    "pcm.mov": Row(f"{source(seconds=1)} {BEEP} {X264} -c:a pcm_s16le", sound="aac", is_copied=False),
    "vorbis.mkv": Row(f"{source(seconds=1)} {BEEP} {X264} -c:a libvorbis", sound="aac", is_copied=False),
    "late.mp4": Row("-i aac.mp4 -c copy -output_ts_offset 5", sound="aac"),
    "variable.mkv": Row(f"{source(seconds=3)} -vf select='lt(mod(n,30),10)' -fps_mode vfr {X264}"),
    "ntsc.mp4": Row(f"{source('30000/1001', 1)} {X264}"),
    "turned.mp4": Row("-display_rotation 90 -i plain.mp4 -c copy", size=(128, 160)),
    "odd.mp4": Row(f"{source(seconds=1)} -vf scale=161:129,format=yuv444p -c:v libx264"),
    "one.mp4": Row(f"{source(seconds=1)} -frames:v 1 {X264}", frames=1),
    "xvid.avi": Row(f"{source(seconds=1)} -c:v mpeg4 -bf 0"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    for name, row in ROWS.items():
        make(folder, name, row.arguments)
    return folder


def copy(frames: FrameSource, target: Path, size: int = 4, crf: int = 4, key: str = "") -> Path:
    """The same video again."""
    write_all(frames, writer_of(frames, target, crf, key), size)
    return target


def writer_of(frames: FrameSource, target: Path, crf: int = 0, key: str = "") -> VideoWriter:
    width, height = frames.width // 2 * 2, frames.height // 2 * 2
    return VideoWriter(target, Format(width, height, frames.rate, frames.time_base, crf, frames.pixel_aspect), key)


def write_all(frames: FrameSource, writer: VideoWriter, size: int = 8) -> None:
    frames.add_sound(writer)
    for images, times in frames.batches(size):
        writer.write(to_pictures(images), times)
    writer.finish()


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """By how much the worst picture differs, of 255, in the colours of its sixteenths: edges blur, in both files."""
    means = [torch.nn.functional.adaptive_avg_pool2d(images.movedim(-1, 1), 4) for images in (one, other)]
    return float((means[0] - means[1]).abs().mean(dim=(1, 2, 3)).max()) * 255


def of_file(file: Path, window: tuple[float, float] = WHOLE) -> FileFrames:
    return FileFrames(file, window, lambda: None)


def test_frames_times_and_sound_stay(folder: Path, tmp_path: Path) -> None:
    for name, row in ROWS.items():
        before, after = folder / name, copy(of_file(folder / name), tmp_path / f"{name}.mp4")
        expected, images = decode(before).images, decode(after).images
        width, height = row.size
        assert images.shape == (row.frames, height, width, 3), name
        off = apart(images, expected[:, :height, :width])
        assert off < 2, f"{name}: {off:.1f} of 255 off"
        assert after.stat().st_size > 0
        shift = times_of(before)[0] - times_of(after)[0]
        assert times_of(after) == pytest.approx([time - shift for time in times_of(before)], abs=0.0015), name
        sound, original = sound_of(after), sound_of(before)
        assert sound.codec == row.sound, name
        if row.is_copied:
            assert sound.packets == original.packets, name
        assert sound.start == pytest.approx(original.start - shift, abs=0.05), f"{name}: sound and pictures drift apart"


def test_a_window_keeps_its_frames_and_its_sound(folder: Path, tmp_path: Path) -> None:
    for name in ("aac.mp4", "pcm.mov"):
        frames = of_file(folder / name, (0.5, 0.3))
        assert frames.count == 9, name
        after = copy(frames, tmp_path / f"{name}.mp4")
        expected = decode(folder / name).images[15:24]
        images = decode(after).images
        assert len(images) == 9, name
        assert apart(images, expected) < 2, name
        assert times_of(after)[0] == 0, name
        assert sound_of(after).seconds == pytest.approx(0.3, abs=0.06), name


def test_sound_stands_beside_its_pictures_in_the_file(folder: Path, tmp_path: Path) -> None:
    before = make(folder, "long.mp4", f"{source('2', 30)} -f lavfi -i sine=d=30 {X264} -c:a aac")
    with av.open(str(copy(of_file(before), tmp_path / "a.mp4"))) as container:
        packets = [
            (each.pos or 0, each.stream.type, each.pts * each.time_base) for each in container.demux() if each.pts
        ]
    times = {"audio": 0.0, "video": 0.0}
    for _, kind, time in sorted(packets):
        times[kind] = float(time)
        assert abs(times["audio"] - times["video"]) < 3, times


def test_a_tensor_and_its_sound(tmp_path: Path) -> None:
    images = torch.stack([torch.from_numpy(numbered(number)) / 255 for number in range(12)])
    sound = (torch.sin(torch.arange(48000) / 20)[None].repeat(2, 1), 24000)
    file = copy(TensorFrames(images, Fraction(24), sound), tmp_path / "a.mp4")
    assert [number_in(image) for image in decode(file).images.numpy()] == list(range(12))
    assert times_of(file) == pytest.approx([number / 24 for number in range(12)])
    assert sound_of(file).seconds == pytest.approx(0.5, abs=0.05)


def test_colours_come_back_and_the_file_says_how_they_are_coded(tmp_path: Path) -> None:
    for matrix in (BT709, BT601):
        coding = Coding(options=SHARP, matrix=matrix, tag=matrix)
        file = copy(of_file(write_clip(tmp_path / "a.mp4", [chart()] * 3, coding=coding)), tmp_path / f"{matrix}.mp4")
        worst = max(np.abs(centres(image) - COLOURS).max() for image in decode(file).images.numpy())
        assert worst <= 4, matrix
        shown = subprocess.run([FFMPEG, "-i", str(file)], capture_output=True, text=True, check=False).stderr
        assert "yuv420p(tv, smpte170m/bt709/bt709" in shown, shown


def test_frames_at_once_change_nothing_and_the_file_is_found_by_its_key_while_it_is_whole(
    folder: Path, tmp_path: Path
) -> None:
    files = [copy(of_file(folder / "aac.mp4"), tmp_path / f"{size}.mp4", size, key="of this") for size in (1, 3, 64)]
    assert len({file.read_bytes() for file in files}) == 1
    assert [finished_frames(files[0], key) for key in ("of this", "of that")] == [30, 0]
    files[0].write_bytes(files[0].read_bytes()[:-10])
    assert finished_frames(files[0], "of this") == finished_frames(tmp_path / "none.mp4", "of this") == 0


def test_digest_is_of_content_and_window(folder: Path) -> None:
    digests = [
        of_file(folder / "aac.mp4").digest(),
        of_file(folder / "aac.mp4", (0.5, 0)).digest(),
        of_file(folder / "plain.mp4").digest(),
        TensorFrames(torch.zeros(1, 2, 2, 3), Fraction(24), None).digest(),
        TensorFrames(torch.ones(1, 2, 2, 3), Fraction(24), None).digest(),
        TensorFrames(torch.ones(1, 2, 2, 3), Fraction(25), None).digest(),
    ]
    assert len(set(digests)) == len(digests)
    assert of_file(folder / "aac.mp4").digest() == digests[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")
def test_a_disk_that_takes_no_more_is_named_and_nothing_is_left(folder: Path, tmp_path: Path) -> None:
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (0, 1000, 30_000):
        frames = of_file(folder / "aac.mp4")
        writer = writer_of(frames, tmp_path / "full" / "a.mp4")
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
        try:
            with pytest.raises(DiskFailure, match="cannot be written"):
                write_all(frames, writer)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            writer.discard()
        assert list((tmp_path / "full").iterdir()) == [], size


def test_unfinished_files_of_dead_processes_are_removed_and_others_stay(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4", Format(16, 16, Fraction(24), Fraction(1, 24), 20), "")
    (mine,) = tmp_path.iterdir()
    dead = tmp_path / ".999999999-abc.unfinished"
    others = tmp_path / ".c.mp4"
    for file in (dead, others):
        file.touch()
    remove_unfinished(tmp_path)
    assert set(tmp_path.iterdir()) == {mine, others}
    writer.discard()
    assert set(tmp_path.iterdir()) == {others}
