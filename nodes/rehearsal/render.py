"""What can be asked for, and its video: an MP4 like Seedance's own, H.264 High, yuv420p, 24 fps, B-frames, no colour
tags, no audio. A text over the scene says that it is a rehearsal, and what was asked for.
"""

from __future__ import annotations

import io
import random
import textwrap
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Final, Literal

from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont, ImageFont, load_default
from pydantic import BaseModel, ConfigDict, Field

from .scene import Backdrop, Robot

FPS: Final = 24
RATIOS: Final = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
SIZES: Final = {
    "480p": ((864, 480), (736, 544), (640, 640), (544, 736), (480, 864), (960, 416)),
    "720p": ((1248, 704), (1120, 832), (960, 960), (832, 1120), (704, 1248), (1504, 640)),
    "1080p": ((1920, 1088), (1664, 1248), (1440, 1440), (1248, 1664), (1088, 1920), (2176, 928)),
}
"""Width and height in pixels for each ratio, as published for Seedance 1.0 Pro."""
_X264: Final = {"preset": "ultrafast", "crf": "23", "bf": "2", "x264-params": "8x8dct=1:cabac=1:deblock=1"}
"""8x8dct makes it profile High, since PyAV 14.2 refuses the option `profile`; the other two save bytes and blocks."""
_MAX_CHARACTERS: Final = 1000
"""Of a text that are looked at: more than fit on any video, and measuring them takes time."""
_REPLACEMENTS: Final = str.maketrans({"—": " - ", "–": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "..."})
"""For punctuation that prompts are full of and that Pillow's own font lacks."""
_AMBER: Final = (255, 184, 48)
_INK: Final = (34, 26, 10)
_WHITE: Final = (246, 246, 240)
_GREY: Final = (186, 190, 200)
_PATCHES: Final = ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191))
"""The colours of a television test card, by which wrong colours show at once."""


class VideoRequest(BaseModel):
    """The body of a submit call, with its defaults. Unknown keys are ignored; equal requests give equal videos."""

    model_config = ConfigDict(title="Input", frozen=True, strict=True)

    text: str = Field(title="Prompt", description="Under 500 characters gives better results.")
    resolution: Literal["480p", "720p", "1080p"] = Field(default="480p", title="Resolution")
    ratio: Literal["16:9", "4:3", "1:1", "3:4", "9:16", "21:9"] = Field(default="16:9", title="Aspect Ratio (W:H)")
    # No Literal, which takes 5.0 for 5.
    duration: int = Field(default=5, title="Duration", ge=2, le=12, json_schema_extra={"enum": [*range(2, 13)]})
    seed: int = Field(default=38810827, title="Seed")

    @property
    def size(self) -> tuple[int, int]:
        return SIZES[self.resolution][RATIOS.index(self.ratio)]

    @property
    def frame_count(self) -> int:
        """One more than 24 a second, as in real ones: 5 s has 121."""
        return self.duration * FPS + 1


def render(request: VideoRequest, stopped: Callable[[], bool] = lambda: False) -> bytes:
    """The MP4 of a request, cut short when ``stopped``; the same for the same request, with the same libraries."""
    import av

    file = io.BytesIO()
    # The index comes first, in space reserved for it, so that a browser can play before it has the whole file.
    options = {"moov_size": str(2048 + 32 * request.frame_count)}
    with av.open(file, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=FPS, options=dict(_X264))
        (stream.width, stream.height), stream.pix_fmt = request.size, "yuv420p"
        # The number of threads changes the bytes, so it must not depend on the machine's number of cores.
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(draw_frames(request)):
            if stopped():
                break
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]  # PyAV declares no types here
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def draw_frames(request: VideoRequest) -> Iterator[Image.Image]:
    """The frames of a video in order. It is one RGB picture, drawn anew each time."""
    width, height = request.size
    rng = random.Random(request.model_dump_json())
    speed = round(min(width, height) / 80)
    captions = Captions(request)
    floor = captions.panel_top - round(0.035 * height)
    backdrop = Backdrop(width, height, floor, speed, rng)
    robot = Robot(round(0.46 * min(width, height)), speed, rng)
    picture = Image.new("RGB", (width, height))
    for number in range(request.frame_count):
        backdrop.draw(picture, number)
        robot.draw(picture, width // 2, floor, number)
        captions.draw(picture, number)
        yield picture


class Captions:
    """The REHEARSAL mark, a colour chart, and a panel with the prompt, the seed and the frame's number."""

    def __init__(self, request: VideoRequest) -> None:
        self._width, height = request.size
        unit = min(request.size) / 480
        margin, self._bar, self._font = round(16 * unit), round(4 * unit), load_default(15 * unit)
        self._frames, self._right = request.frame_count, (self._width - margin, height - round(14 * unit))
        badge, chart, panel = _badge(unit), _chart(unit), self._panel(request, unit, margin)
        self.panel_top = height - panel.height
        """The uppermost row of the panel at the lower edge."""
        corner = self._width - margin - chart.width, margin
        self._parts = ((badge, (margin, margin)), (chart, corner), (panel, (0, self.panel_top)))

    def draw(self, picture: Image.Image, frame: int) -> None:
        for part, corner in self._parts:
            picture.paste(part, corner, part)
        draw = ImageDraw.Draw(picture)
        done = self._width * (frame + 1) / self._frames
        draw.rectangle((0, self.panel_top, done, self.panel_top + self._bar - 1), _AMBER)
        # All digits of the font are of one width, so nothing moves when the number does.
        text = f"frame {frame + 1:0{len(str(self._frames))}} / {self._frames}"
        draw.text(self._right, text, _WHITE, self._font, anchor="rs")

    def _panel(self, request: VideoRequest, unit: float, margin: int) -> Image.Image:
        width, spacing, font = self._width, round(24 * unit), load_default(19 * unit)
        lines = wrap(request.text, font, width - 2 * margin, 3 if width >= request.size[1] else 4)
        panel = Image.new("RGBA", (width, self._bar + len(lines) * spacing + round(47 * unit)), (10, 12, 22, 176))
        draw = ImageDraw.Draw(panel)
        draw.rectangle((0, 0, width, self._bar - 1), (70, 74, 88, 220))
        for number, line in enumerate(lines):
            draw.text((margin, self._bar + 10 * unit + number * spacing), line, _WHITE, font)
        facts = f"seed {request.seed}, {request.resolution}, {request.ratio}, {request.duration} s"
        # A seed may have any number of digits; it must not run into the frame's number.
        (facts,) = wrap(facts, self._font, round(width * 0.66), 1)
        draw.text((margin, panel.height - round(14 * unit)), facts, _GREY, self._font, anchor="ls")
        return panel


def wrap(text: str, font: FreeTypeFont | ImageFont, width: float, max_lines: int) -> list[str]:
    """At most ``max_lines`` lines of at most ``width`` pixels; "..." ends the last if something is left over."""
    # What cannot be printed (line ends, control characters) would break the line.
    printable = (mark if mark.isprintable() else " " for mark in text[:_MAX_CHARACTERS].translate(_REPLACEMENTS))
    text = " ".join("".join(printable).split())
    for characters in range(round(width / font.getlength("i")), 3, -1):
        lines = textwrap.wrap(text, characters, max_lines=max_lines, placeholder="...")
        if all(font.getlength(line) <= width for line in lines):
            break
    return lines


def _badge(unit: float) -> Image.Image:
    # Painted twice as large, then reduced, for smooth edges.
    large, small = load_default(46 * unit), load_default(26 * unit)
    note = "made on this machine, free of charge"
    inset, pill = 26 * unit, 68 * unit
    image = Image.new("RGBA", (2 * round(small.getlength(note) / 2 + inset), 2 * round(60 * unit)))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, large.getlength("REHEARSAL") + 2 * inset, pill), pill / 2, _AMBER)
    stroke = max(1, round(unit * 1.2))
    draw.text((inset, pill / 2), "REHEARSAL", _INK, large, anchor="lm", stroke_width=stroke, stroke_fill=_INK)
    draw.text((inset, pill + 28 * unit), note, _WHITE, small, anchor="lm")
    return image.reduce(2)


def _chart(unit: float) -> Image.Image:
    chart = Image.frombytes("RGBA", (len(_PATCHES), 1), bytes(part for patch in _PATCHES for part in (*patch, 255)))
    side = round(16 * unit)
    return chart.resize((side * len(_PATCHES), side), Image.Resampling.NEAREST)
