"""From a scene to an MP4 like Seedance's own: H.264 High, yuv420p, 24 fps, B-frames, no colour tags, no audio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np

from .backdrop import build_strips
from .captions import build_captions
from .picture import Picture, even
from .robot import build_robot
from .scene import Scene
from .sizes import FPS

_ENCODING: Final = {"preset": "superfast", "crf": "21", "bf": "2", "profile": "high"}


class Stopped(Exception):
    """Rendering was given up because nobody wants the file any more."""


def render(scene: Scene, path: Path, stopped: Callable[[], bool] = lambda: False) -> None:
    """Write the MP4 of ``scene`` to ``path``; the same scene gives the same bytes with the same libraries.

    Raises:
        Stopped: ``stopped`` said so; what is at ``path`` is of no use.
    """
    width, height = scene.size
    # The index in front, so that a browser can begin before it has all.
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options=dict(_ENCODING))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # The number of threads shows in the bytes; so it must not follow the machine's number of cores.
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(pictures(scene)):
            if stopped():
                raise Stopped
            frame = av.VideoFrame.from_ndarray(picture.packed, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def pictures(scene: Scene) -> Iterator[Picture]:
    """The frames of a scene in order. It is one picture, drawn anew each time."""
    width, height = scene.size
    short = min(width, height)
    rng = np.random.default_rng(int(scene.digest[:16], 16))
    rolling = even(6 * short / 480)
    captions = build_captions(scene)
    floor = even(captions.panel_top - 0.035 * height)
    strips = build_strips(width, height, floor, rolling, rng)
    robot = build_robot(even(0.46 * short), rolling, rng)
    picture = Picture(width, height)
    for number in range(scene.frame_count):
        for strip in strips:
            strip.draw(picture, number)
        robot.draw(picture, width // 2, floor, number)
        captions.draw(picture, number, scene.frame_count)
        yield picture
