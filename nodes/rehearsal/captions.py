"""What stands written on the picture: the REHEARSAL mark, the prompt, the seed, the frame's number."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont

from .schema import VideoRequest

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


class Captions:
    """Everything that is laid over the finished scene."""

    def __init__(self, request: VideoRequest) -> None:
        self._width, height = request.size
        self._unit = unit = min(request.size) / 480
        self._margin = round(16 * unit)
        self._bar = round(4 * unit)
        self._frames = request.frame_count
        self._small = _font(15 * unit)
        self._badge = _badge(unit)
        self._patches = _patches(unit)
        self._panel = self._draw_panel(request)
        self.panel_top = height - self._panel.height
        """The uppermost row of the panel at the lower edge."""
        self._baseline = height - round(14 * unit)
        total = f" / {self._frames}"
        self._total = (total, self._width - self._margin - self._small.getlength(total))
        self._digit = max(map(self._small.getlength, "0123456789"))

    def draw(self, picture: Image.Image, frame: int) -> None:
        """Draw them for frame number ``frame``, from 0."""
        picture.paste(self._badge, (self._margin, self._margin), self._badge)
        picture.paste(self._patches, (self._width - self._margin - self._patches.width, self._margin))
        picture.paste(self._panel, (0, self.panel_top), self._panel)
        draw = ImageDraw.Draw(picture)
        done = self._width * (frame + 1) / self._frames
        draw.rectangle((0, self.panel_top, done, self.panel_top + self._bar - 1), _AMBER)
        total, right = self._total
        draw.text((right, self._baseline), total, _GREY, self._small, anchor="ls")
        number = f"{frame + 1:0{len(str(self._frames))}}"
        left = right - len(number) * self._digit
        for place, digit in enumerate(number):  # each in a place of its own, so that none moves with the others
            draw.text((left + (place + 0.5) * self._digit, self._baseline), digit, _WHITE, self._small, anchor="ms")
        draw.text((left - 6 * self._unit, self._baseline), "frame", _GREY, self._small, anchor="rs")

    def _draw_panel(self, request: VideoRequest) -> Image.Image:
        unit, margin, width = self._unit, self._margin, self._width
        prompt = _font(19 * unit)
        lines = list(wrap(request.text, prompt, width - 2 * margin, 3 if width >= request.size[1] else 4))
        spacing = round(24 * unit)
        panel = Image.new("RGBA", (width, self._bar + len(lines) * spacing + round(47 * unit)), (10, 12, 22, 176))
        draw = ImageDraw.Draw(panel)
        draw.rectangle((0, 0, width, self._bar - 1), (70, 74, 88, 220))
        for number, line in enumerate(lines):
            draw.text((margin, self._bar + 10 * unit + number * spacing), line, _WHITE, prompt)
        facts = f"seed {request.seed}, {request.resolution}, {request.ratio}, {request.duration} s"
        # A seed may have any number of digits; it must not run into the frame's number.
        facts = next(wrap(facts, self._small, round(width * 0.66), 1))
        draw.text((margin, panel.height - round(14 * unit)), facts, _GREY, self._small, anchor="ls")
        return panel


def wrap(text: str, font: ImageFont.FreeTypeFont, width: float, most: int) -> Iterator[str]:
    """Lines of at most ``width`` pixels, at most ``most`` of them; "..." ends the last if something is left over."""
    # What cannot be printed (line ends, control characters) would break the line.
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
    return max(1, bisect_right(range(1, len(text) + 1), width, key=lambda count: font.getlength(text[:count])))


def _badge(unit: float) -> Image.Image:
    """The REHEARSAL mark, and below it what that means."""
    # Painted twice as large, then reduced, for smooth edges.
    large, small = _font(46 * unit), _font(26 * unit)
    note = "made on this machine, free of charge"
    inset, pill = 26 * unit, 68 * unit
    image = Image.new("RGBA", (2 * round(small.getlength(note) / 2 + inset), 2 * round(60 * unit)))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, large.getlength("REHEARSAL") + 2 * inset, pill), pill / 2, _AMBER)
    stroke = max(1, round(unit * 1.2))
    draw.text((inset, pill / 2), "REHEARSAL", _INK, large, anchor="lm", stroke_width=stroke, stroke_fill=_INK)
    draw.text((inset, pill + 28 * unit), note, _WHITE, small, anchor="lm")
    return image.reduce(2)


def _patches(unit: float) -> Image.Image:
    side = round(16 * unit)
    image = Image.new("RGB", (side * len(_PATCHES), side))
    for number, colour in enumerate(_PATCHES):
        image.paste(colour, (number * side, 0, (number + 1) * side, side))
    return image


def _font(size: float) -> ImageFont.FreeTypeFont:
    """Pillow's own font, so that every machine letters alike."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType")
    return font
