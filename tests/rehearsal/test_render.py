"""The MP4s: what they are made of, and what is to be seen on them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ImageFont

from nodes.rehearsal.captions import build_captions, wrap
from nodes.rehearsal.picture import Decal, Picture, planes_of
from nodes.rehearsal.render import Stopped, pictures, render
from nodes.rehearsal.scene import Scene
from nodes.rehearsal.sizes import SIZES

# Restated, so that a slip in the table shows.
PUBLISHED = {
    "480p": "864x480 736x544 640x640 544x736 480x864 960x416",
    "720p": "1248x704 1120x832 960x960 832x1120 704x1248 1504x640",
    "1080p": "1920x1088 1664x1248 1440x1440 1248x1664 1088x1920 2176x928",
}
RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
CLIPS = [("480p", "16:9", 5), ("480p", "21:9", 2), ("720p", "9:16", 2)]


def scene(
    resolution: str = "480p", ratio: str = "16:9", duration: int = 2, text: str = "A paper boat", seed: int = 1
) -> Scene:
    return Scene(text, resolution, ratio, duration, seed)


def decoded(path: Path) -> list[NDArray[np.uint8]]:
    """All frames in BGR, decoded the way the pack does it."""
    capture = cv2.VideoCapture(str(path))
    frames: list[NDArray[np.uint8]] = []
    while True:
        found, frame = capture.read()
        if not found:
            return frames
        frames.append(np.asarray(frame, dtype=np.uint8))


@pytest.fixture(scope="module", params=CLIPS, ids=lambda clip: "-".join(map(str, clip)))
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, Path]:
    filmed = scene(*request.param)
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    render(filmed, path)
    return filmed, path


def test_sizes_are_the_published_ones() -> None:
    table = {
        (resolution, ratio): tuple(map(int, size.split("x")))
        for resolution, sizes in PUBLISHED.items()
        for ratio, size in zip(RATIOS, sizes.split(), strict=True)
    }
    assert dict(SIZES) == table


@pytest.mark.parametrize(("resolution", "ratio"), SIZES)
def test_every_size_can_be_drawn(resolution: str, ratio: str) -> None:
    width, height = SIZES[resolution, ratio]
    picture = next(pictures(scene(resolution, ratio, text="word " * 200)))
    assert picture.packed.shape == (height * 3 // 2, width)
    assert picture.planes[0].std() > 20


def test_size_and_number_of_frames(clip: tuple[Scene, Path]) -> None:
    filmed, path = clip
    frames = decoded(path)
    width, height = filmed.size
    assert len(frames) == filmed.duration * 24 + 1
    assert {frame.shape for frame in frames} == {(height, width, 3)}


def test_the_stream_is_like_seedances_own(clip: tuple[Scene, Path]) -> None:
    filmed, path = clip
    with av.open(str(path)) as container:
        (stream,) = container.streams
        assert isinstance(stream, av.VideoStream)
        codec = stream.codec_context
        assert (codec.name, codec.profile, codec.pix_fmt) == ("h264", "High", "yuv420p")
        assert codec.has_b_frames
        assert stream.average_rate == 24
        assert stream.frames == filmed.frame_count
        assert codec.color_range == 0
        assert (codec.colorspace, codec.color_primaries, codec.color_trc) == (2, 2, 2)


def test_the_index_comes_first(clip: tuple[Scene, Path]) -> None:
    data = clip[1].read_bytes()
    boxes, at = [], 0
    while at < len(data):
        boxes.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    assert at == len(data)
    assert boxes.index(b"moov") < boxes.index(b"mdat")


def test_every_frame_carries_the_mark(clip: tuple[Scene, Path]) -> None:
    filmed, path = clip
    unit = min(filmed.size) / 480
    badge = np.s_[round(18 * unit) : round(48 * unit), round(32 * unit) : round(160 * unit)]
    for frame in decoded(path):
        blue, green, red = (frame[badge][..., channel].astype(int) for channel in range(3))
        amber = (red > 215) & (abs(green - 184) < 40) & (blue < 110)
        ink = (red < 90) & (green < 90) & (blue < 90)
        assert amber.mean() > 0.4, "the badge"
        assert 0.1 < ink.mean() < 0.5, "the letters on it"


def test_the_scene_and_the_frame_number_change_from_frame_to_frame(clip: tuple[Scene, Path]) -> None:
    filmed, path = clip
    width, height = filmed.size
    frames = decoded(path)
    number = np.s_[round(height - 0.06 * min(width, height)) :, round(0.7 * width) :]
    wall = np.s_[height // 6 : height // 2]
    for one, two in pairwise(frames):
        assert cv2.absdiff(one[wall], two[wall]).mean() > 0.5
        assert cv2.absdiff(one[number], two[number]).max() > 60


def test_colours_survive_as_bt_601(clip: tuple[Scene, Path]) -> None:
    filmed, path = clip
    unit = min(filmed.size) / 480
    side, margin = 2 * round(8 * unit), 2 * round(8 * unit)
    frame = decoded(path)[0]
    for place, rgb in enumerate([(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191)]):
        left = filmed.size[0] - margin - (7 - place) * side
        patch = frame[margin + side // 4 : margin + side * 3 // 4, left + side // 4 : left + side * 3 // 4]
        assert patch.reshape(-1, 3).mean(axis=0)[::-1] == pytest.approx(rgb, abs=12)


def test_equal_scenes_give_equal_bytes(tmp_path: Path) -> None:
    variants = [scene(), scene(), scene(seed=2), scene(text="Another boat"), scene(ratio="1:1")]
    files = []
    for number, variant in enumerate(variants):
        render(variant, tmp_path / f"{number}.mp4")
        files.append((tmp_path / f"{number}.mp4").read_bytes())
    assert files[0] == files[1]
    assert len(set(files)) == 4


@pytest.mark.parametrize("text", ["", "\ud800", "\x00\n\r\t", "龙在飞 🤖 שלום مرحبا", "W" * 100_000, "a\u0301" * 900])
def test_any_text_can_be_filmed(text: str) -> None:
    assert next(pictures(scene(text=text))).packed.any()


def test_a_seed_of_any_length_keeps_clear_of_the_frame_number() -> None:
    for seed in (10**30, -(10**30)):
        assert next(pictures(scene(seed=seed, ratio="9:16"))).packed.any()


@settings(deadline=None, max_examples=30)
@given(st.text(max_size=700), st.integers(40, 500), st.integers(1, 4))
def test_lines_fit(text: str, width: int, most: int) -> None:
    font = ImageFont.load_default(18)
    assert isinstance(font, ImageFont.FreeTypeFont)
    lines = list(wrap(text, font, width, most))
    assert len(lines) <= most
    for line in lines:
        assert font.getlength(line) <= width or len(line.removesuffix("...")) <= 1


def test_a_text_that_is_too_long_ends_in_dots() -> None:
    font = ImageFont.load_default(18)
    assert isinstance(font, ImageFont.FreeTypeFont)
    assert list(wrap("one two three", font, 400, 2)) == ["one two three"]
    lines = list(wrap("word " * 200, font, 200, 2))
    assert not lines[0].endswith("...")
    assert lines[1].endswith("...")
    assert list(wrap("one two", font, font.getlength("one tw"), 2)) == ["one", "two"]


def test_what_cannot_be_printed_is_a_space() -> None:
    font = ImageFont.load_default(18)
    assert isinstance(font, ImageFont.FreeTypeFont)
    assert list(wrap("a\nb\x00c\ud800d — “e”", font, 400, 2)) == ['a b c d - "e"']


def test_the_panel_tells_prompt_seed_and_options() -> None:
    told = [scene(), scene(seed=2), scene(text="Another boat"), scene(duration=3), scene("720p"), scene(ratio="4:3")]
    panels = {build_captions(one).panel.added[0].tobytes() for one in told}
    assert len(panels) == len(told)


def test_rendering_can_be_given_up(tmp_path: Path) -> None:
    answers = iter([False, False, True])
    with pytest.raises(Stopped):
        render(scene(), tmp_path / "clip.mp4", lambda: next(answers))


def test_a_decal_blends_by_its_opacity() -> None:
    picture = Picture(8, 8)
    picture.fill(0, 0, 8, 8, (0, 0, 255))
    layer = np.zeros((4, 4, 4), np.uint8)
    layer[...] = (255, 255, 0, 255)
    layer[:, :2, 3] = 0
    Decal.of(layer).lay(picture, 2, 2)
    over_it, beneath = (planes_of(np.full((2, 2, 3), colour, np.uint8)) for colour in ((255, 255, 0), (0, 0, 255)))
    for target, over, under, step in zip(picture.planes, over_it, beneath, (2, 1, 1), strict=True):
        assert target[step, step] == pytest.approx(under[0, 0], abs=1)
        assert target[step, 2 * step] == pytest.approx(over[0, 0], abs=1)
