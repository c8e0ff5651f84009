"""The MP4s: what they are made of, and what is to be seen on them."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL.ImageFont import load_default

from nodes.rehearsal import VideoRequest
from nodes.rehearsal.render import draw_frames, render, wrap

CLIPS: tuple[dict[str, Any], ...] = ({}, {"ratio": "21:9"}, {"resolution": "720p", "ratio": "9:16"})

FONT = load_default(18)

Picture = NDArray[np.uint8]
"""[height, width, 3], RGB."""
Clip = tuple[VideoRequest, bytes, list[Picture]]
"""What was asked for, the MP4, and its frames."""


def a_boat(**options: Any) -> VideoRequest:
    return VideoRequest.model_validate({"text": "A paper boat", "duration": 2, "seed": 1} | options)


def made(request: VideoRequest) -> Clip:
    mp4 = render(request)
    with av.open(io.BytesIO(mp4)) as container:
        return request, mp4, [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [made(a_boat(**options)) for options in CLIPS]


def test_it_is_made_like_seedances_own(clips: list[Clip]) -> None:
    for request, mp4, frames in clips:
        with av.open(io.BytesIO(mp4)) as container:
            assert [stream.type for stream in container.streams] == ["video"]
            stream = container.streams.video[0]
            codec = stream.codec_context
            assert (codec.name, codec.profile, codec.pix_fmt) == ("h264", "High", "yuv420p")
            assert (codec.width, codec.height) == request.size
            assert codec.has_b_frames
            assert (stream.average_rate, stream.frames, len(frames)) == (24, request.frame_count, request.frame_count)
            assert (codec.color_range, codec.colorspace, codec.color_primaries, codec.color_trc) == (0, 2, 2, 2)


def test_the_index_comes_first() -> None:
    """Also in the longest one, for which it needs most space."""
    for request in (a_boat(), a_boat(duration=12)):
        mp4 = render(request)
        assert mp4.index(b"moov") < mp4.index(b"mdat")


def test_every_frame_carries_the_mark(clips: list[Clip]) -> None:
    for request, _, frames in clips:
        unit = min(request.size) / 480
        badge = np.s_[round(18 * unit) : round(48 * unit), round(32 * unit) : round(160 * unit)]
        for frame in frames:
            red, green, blue = np.moveaxis(frame[badge].astype(int), -1, 0)
            amber = (red > 215) & (abs(green - 184) < 40) & (blue < 110)
            ink = (red < 90) & (green < 90) & (blue < 90)
            assert amber.mean() > 0.4, "the badge"
            assert 0.1 < ink.mean() < 0.5, "the letters on it"


def test_the_scene_and_the_frame_number_change_from_frame_to_frame(clips: list[Clip]) -> None:
    for request, _, frames in clips:
        width, height = request.size
        number = np.s_[round(height - 0.06 * min(width, height)) :, round(0.7 * width) :]
        wall = np.s_[height // 6 : height // 2]
        for one, two in pairwise(frames):
            assert abs(one[wall].astype(int) - two[wall]).mean() > 0.5
            assert abs(one[number].astype(int) - two[number]).max() > 60


def test_colours_survive_as_bt_601(clips: list[Clip]) -> None:
    patches = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)]
    for request, _, frames in clips:
        side = margin = round(16 * min(request.size) / 480)
        for place, rgb in enumerate(patches):
            left = request.size[0] - margin - (7 - place) * side
            patch = frames[0][margin + side // 4 : margin + side * 3 // 4, left + side // 4 : left + side * 3 // 4]
            assert patch.reshape(-1, 3).mean(axis=0) == pytest.approx(rgb, abs=12), rgb


def test_equal_requests_give_equal_bytes_and_all_that_is_asked_for_shows_in_the_panel() -> None:
    changes: tuple[dict[str, Any], ...] = (
        *({}, {"seed": 2}, {"text": "Another boat"}, {"duration": 3}, {"ratio": "4:3"}, {"resolution": "720p"}),
    )
    variants = [a_boat(**change) for change in changes]
    panels = set()
    for request in variants:
        picture = next(draw_frames(request))
        # Only what is written is bright.
        written = picture.crop((0, round(picture.height * 0.82), *picture.size)).convert("L").point(lambda v: v > 160)
        panels.add(written.tobytes())
    assert len(panels) == len(variants)
    videos = [render(request) for request in (a_boat(), *variants[:3])]
    assert videos[0] == videos[1]
    assert len(set(videos)) == 3


def test_any_text_and_seed_can_be_drawn() -> None:
    for text in ("", "\x00\n\r\t", "龙在飞 🤖 שלום مرحبا", "W" * 100_000, "a\u0301" * 900):
        assert next(draw_frames(a_boat(text=text))).getbbox()
    for seed in (10**30, -(10**30)):
        assert next(draw_frames(a_boat(seed=seed, ratio="9:16"))).getbbox()


def test_rendering_can_be_given_up() -> None:
    answers = iter([False, False, True])
    assert len(render(a_boat(), lambda: next(answers))) < len(render(a_boat())) / 4


def test_how_lines_are_broken() -> None:
    assert wrap("one two three", FONT, 400, 2) == ["one two three"]
    assert wrap("one two", FONT, FONT.getlength("one tw"), 2) == ["one", "two"]
    assert wrap("a\nb\x00c\ud800d — “e”", FONT, 400, 2) == ['a b c d - "e"']
    for text in ("word " * 200, "W" * 700, "a\u0301" * 700, "龙在飞 " * 100):
        for width, most in ((100, 1), (200, 2), (500, 4)):
            lines = wrap(text, FONT, width, most)
            assert len(lines) <= most, text
            assert all(FONT.getlength(line) <= width for line in lines), text
    first, last = wrap("word " * 200, FONT, 200, 2)
    assert not first.endswith("...")
    assert last.endswith("...")
