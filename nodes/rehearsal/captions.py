"""What stands written on the picture: the REHEARSAL mark, the prompt, the seed, the frame's number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .picture import Decal, Picture, even
from .scene import Scene

_MOST_CHARACTERS = 600
"""Of the prompt; more would not be readable, and measuring it takes time."""
_PLAIN = str.maketrans({"—": " - ", "–": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "..."})
"""For punctuation that prompts are full of and that Pillow's own font lacks."""
_AMBER = (255, 184, 48)
_INK = (34, 26, 10)
_WHITE = (246, 246, 240)
_GREY = (186, 190, 200)
_PATCHES = ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191))
"""The colours of a television test card, by which wrong colours show at once."""


@dataclass(frozen=True)
class Captions:
    """Everything that is laid over the finished scene."""

    mark: Decal
    panel: Decal
    margin: int
    panel_top: int
    digits: tuple[Decal, ...]
    digits_left: int
    digits_top: int
    digit_width: int
    digit_places: int
    bar: int
    """Height of the progress bar on the panel's upper edge."""

    def draw(self, picture: Picture, frame: int, frames: int) -> None:
        """Draw them for frame number ``frame`` (from 0) of ``frames``."""
        self.mark.lay(picture, 0, self.margin)
        self.panel.lay(picture, 0, self.panel_top)
        shown = f"{frame + 1:0{self.digit_places}}"
        for place, digit in enumerate(shown):
            left = self.digits_left + place * self.digit_width
            self.digits[int(digit)].lay(picture, left, self.panel_top + self.digits_top)
        done = even(picture.width * (frame + 1) / frames)
        picture.fill(0, self.panel_top, done, self.bar, _AMBER)


def build_captions(scene: Scene) -> Captions:
    """The captions of a scene."""
    width, height = scene.size
    unit = min(width, height) / 480
    margin = even(16 * unit)
    bar = even(4 * unit)
    prompt, small = _font(19 * unit), _font(15 * unit)
    lines = list(wrap(scene.text, prompt, width - 2 * margin, 3 if width >= height else 4))
    spacing = round(24 * unit)
    panel_height = even(bar + 12 * unit + len(lines) * spacing + 6 * unit + 15 * unit + 14 * unit)

    image = Image.new("RGBA", (width, panel_height), (10, 12, 22, 176))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, bar - 1), (70, 74, 88, 220))
    for number, line in enumerate(lines):
        draw.text((margin, bar + 10 * unit + number * spacing), line, _WHITE, prompt)
    baseline = panel_height - round(14 * unit)
    facts = f"seed {scene.seed}, {scene.resolution}, {scene.ratio}, {scene.duration} s"
    # A seed may have any number of digits; it must not run into the frame's number.
    facts = next(wrap(facts, small, round(width * 0.66), 1), "")
    draw.text((margin, baseline), facts, _GREY, small, anchor="ls")

    total = f" / {scene.frame_count}"
    places = len(str(scene.frame_count))
    digit_width = even(max(small.getlength(digit) for digit in "0123456789") + 1)
    digits_left = even(width - margin - small.getlength(total) - places * digit_width)
    draw.text((digits_left + places * digit_width, baseline), total, _GREY, small, anchor="ls")
    draw.text((digits_left - 6 * unit, baseline), "frame", _GREY, small, anchor="rs")
    digit_height = even(20 * unit)
    digits_top = even(baseline - 16 * unit)
    return Captions(
        mark=_mark(width, margin, unit),
        panel=_decal(image),
        margin=margin,
        panel_top=height - panel_height,
        digits=tuple(_digit(d, digit_width, digit_height, baseline - digits_top, small) for d in "0123456789"),
        digits_left=digits_left,
        digits_top=digits_top,
        digit_width=digit_width,
        digit_places=places,
        bar=bar,
    )


def wrap(text: str, font: ImageFont.FreeTypeFont, width: float, most: int) -> Iterator[str]:
    """Lines of at most ``width`` pixels, at most ``most`` of them; "..." ends the last if something is left over."""
    # What cannot be printed (line ends, control characters, halves of surrogate pairs) would break the line or Pillow.
    printable = "".join(mark if mark.isprintable() else " " for mark in text[:_MOST_CHARACTERS].translate(_PLAIN))
    left = " ".join(printable.split())
    if len(text) > _MOST_CHARACTERS:
        left += "..."
    for number in range(1, most + 1):
        if not left:
            return
        fitting = _fitting(left, font, width)
        if fitting == len(left):
            yield left
            return
        if number == most:
            yield left[: max(1, _fitting(left, font, width - font.getlength("...")))].rstrip() + "..."
            return
        space = left.rfind(" ", 0, fitting + 1)
        cut = space if space > 0 else fitting
        yield left[:cut]
        left = left[cut:].lstrip()


def _fitting(text: str, font: ImageFont.FreeTypeFont, width: float) -> int:
    """How many characters from the start fit into ``width`` pixels; at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def _mark(width: int, margin: int, unit: float) -> Decal:
    """The REHEARSAL badge at the left, the colour patches at the right."""
    height = even(60 * unit)
    # Painted twice as large, then reduced, for a smooth badge.
    image = Image.new("RGBA", (2 * width, 2 * height))
    draw = ImageDraw.Draw(image)
    large, small = _font(46 * unit), _font(26 * unit)
    left, inset, pill = 2 * margin, 26 * unit, 68 * unit
    draw.rounded_rectangle((left, 0, left + large.getlength("REHEARSAL") + 2 * inset, pill), pill / 2, _AMBER)
    stroke = max(1, round(unit * 1.2))
    draw.text((left + inset, pill / 2), "REHEARSAL", _INK, large, anchor="lm", stroke_width=stroke, stroke_fill=_INK)
    draw.text((left + inset, pill + 28 * unit), "made on this machine, free of charge", _WHITE, small, anchor="lm")
    side = 2 * even(16 * unit)
    first = 2 * (width - margin) - side * len(_PATCHES)
    for number, colour in enumerate(_PATCHES):
        start = first + number * side
        draw.rectangle((start, 0, start + side - 1, side - 1), colour)
    return _decal(image.reduce(2))


def _digit(digit: str, width: int, height: int, baseline: float, font: ImageFont.FreeTypeFont) -> Decal:
    image = Image.new("RGBA", (width, height))
    ImageDraw.Draw(image).text((width / 2, baseline), digit, _WHITE, font, anchor="ms")
    return _decal(image)


def _decal(image: Image.Image) -> Decal:
    return Decal.of(np.asarray(image, dtype=np.uint8))


def _font(size: float) -> ImageFont.FreeTypeFont:
    """Pillow's own font, so that every machine letters alike."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType")
    return font
