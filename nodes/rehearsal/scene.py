"""What the videos show: a small robot on wheels that rolls over a desk, before an evening room out of focus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageOps

Colour: TypeAlias = tuple[int, ...]
"""RGB or RGBA."""

_SPOKES = 5
_PAINTS = ((238, 238, 232), (244, 196, 92), (126, 190, 214), (232, 132, 112), (150, 200, 150))
_DARK = (26, 30, 44)
_GLOW = (112, 232, 255)
_RADIUS = 0.145
"""Of the wheels, as a part of the robot's height."""
_LIGHTS = ((255, 190, 110), (255, 150, 90), (255, 214, 160), (240, 120, 130), (120, 200, 210))
_UPPER_WALL = ((28, 30, 62), (36, 24, 58), (20, 38, 60), (46, 26, 44))
"""The seed picks one."""
_LOWER_WALL = (96, 58, 62)
_WOOD = (158, 104, 62)
_SHARPNESS = 3
"""Wall and robot are painted this many times larger, then reduced, for smooth edges."""
_MARGIN = 4
"""Columns that are enlarged beyond what is shown, since enlarging blurs over edges."""


@dataclass(frozen=True)
class Strip:
    """A band over the picture's full width that scrolls for ever: one period, and one picture's width of the next."""

    image: Image.Image
    period: int
    top: int
    step: int
    """Pixels per frame. Even, as a colour sample covers two: what moves by whole samples is quick to encode."""


class Backdrop:
    """The wall and the desk's planks; what is nearer rolls by faster.

    Args:
        floor: the row on which things on the desk stand.
        speed: pixels per frame by which the desk moves there.
    """

    def __init__(self, width: int, height: int, floor: int, speed: float, rng: Random) -> None:
        self._width = width
        edges = (floor - 0.13 * height, floor - 0.055 * height, floor + 0.035 * height, height)
        self._strips = [_wall(width, round(edges[0]), 2 * round(speed / 6), rng)]
        for depth, (top, bottom) in enumerate(pairwise(map(round, edges))):
            step = 2 * round(speed * (0.65 + 0.35 * depth) / 2)
            self._strips.append(_plank(width, top, bottom - top, depth, step, rng))

    def draw(self, picture: Image.Image, frame: int) -> None:
        """Cover a picture with it, as it is at a frame's number."""
        for strip in self._strips:
            left = frame * strip.step % strip.period
            shown = strip.image.crop((left, 0, left + self._width, strip.image.height))
            picture.paste(shown, (0, strip.top))


def _wall(width: int, height: int, step: int, rng: Random) -> Strip:
    """Painted small and sharp, and enlarged, which puts it out of focus."""
    scale = 2 * max(1, round(height / 400))
    rows, columns = -(-height // scale) * _SHARPNESS, 3 * width // (2 * scale) * _SHARPNESS
    gradient = Image.linear_gradient("L").point([round(255 * (level / 255) ** 1.6) for level in range(256)])
    wall = ImageOps.colorize(gradient.resize((columns, rows)), rng.choice(_UPPER_WALL), _LOWER_WALL)
    draw = ImageDraw.Draw(wall, "RGBA")

    def glow(x: float, y: float, radius: float, opacity: float) -> None:
        colour = (*rng.choice(_LIGHTS), round(255 * opacity))
        for middle in (x - columns, x):  # what is cut off at the right goes on at the left
            draw.ellipse((middle - radius, y - radius, middle + radius, y + radius), colour)

    short = min(rows, columns / 2)
    for _ in range(max(24, columns // (9 * _SHARPNESS))):
        place = rng.uniform(0, columns), rng.uniform(0.05, 0.95) * rows
        glow(*place, rng.uniform(0.03, 0.11) * short, rng.uniform(0.08, 0.26))
    bulbs = max(18, columns // (16 * _SHARPNESS))
    for bulb in range(bulbs):
        x = bulb * columns / bulbs
        y = rows * (0.30 + 0.17 * abs(math.sin(x * math.pi * 4 / columns)))
        glow(x, y, 0.055 * short, 0.2)
        glow(x, y, 0.022 * short, 0.95)
    wall = wall.reduce(_SHARPNESS)
    wall = Image.blend(wall, _noise(*wall.size, rng).convert("RGB"), 0.012)  # hides the steps of the gradient
    return Strip(_enlarge(wall, scale, scale, wall.width * scale + width, height), wall.width * scale, 0, step)


def _plank(width: int, top: int, height: int, depth: int, step: int, rng: Random) -> Strip:
    """Grain of two sizes, joints, a light upper and a dark lower edge."""
    fine = _enlarge(_noise(width // 32, height // 2, rng), 32, 2, 2 * width, height)
    coarse = _enlarge(_noise(width // 32, height // 8 + 1, rng), 32, 8, 2 * width, height)
    brightness = 0.62 + 0.19 * depth
    dark, light = (_shade(_WOOD, brightness * tone) for tone in (0.88, 1.1))
    plank = ImageOps.colorize(Image.blend(fine, coarse, 0.5), dark, light)
    draw = ImageDraw.Draw(plank, "RGBA")
    line = max(2, height // 24)
    for joint in rng.sample(range(width), 2):
        for left in (joint - width, joint, joint + width):
            draw.rectangle((left, 0, left + line, height), (0, 0, 0, 90))
    draw.rectangle((0, 0, plank.width, line // 2), (255, 220, 180, 40))
    draw.rectangle((0, height - line // 2 - 1, plank.width, height), (0, 0, 0, 110))
    return Strip(plank, width, top, step)


def _noise(columns: int, rows: int, rng: Random) -> Image.Image:
    return Image.frombytes("L", (columns, rows), rng.randbytes(columns * rows))


def _shade(colour: Sequence[int], factor: float) -> tuple[int, int, int]:
    red, green, blue = (min(255, round(part * factor)) for part in colour)
    return red, green, blue


def _enlarge(texture: Image.Image, across: int, down: int, width: int, height: int) -> Image.Image:
    """Repeat a texture to the right and make it larger, so that no seam is seen."""
    wide = Image.new(texture.mode, (-(-width // across) + 2 * _MARGIN, texture.height))
    for left in range(_MARGIN - texture.width, wide.width, texture.width):
        wide.paste(texture, (left, 0))
    large = wide.resize((wide.width * across, wide.height * down), Image.Resampling.BICUBIC)
    return large.crop((_MARGIN * across, 0, _MARGIN * across + width, height))


class Robot:
    """Painted in parts, each of which is moved for itself.

    Args:
        side: pixels of the square around it; the wheels touch its lower edge.
        speed: pixels per frame by which the desk below moves.
    """

    def __init__(self, side: int, speed: float, rng: Random) -> None:
        paint, accent = rng.sample(_PAINTS, 2)
        turn = 2 * math.pi / _SPOKES
        steps = max(3, round(turn * _RADIUS * side / speed))
        self._side = side
        self._shadow = _shadow(side)
        self._body = _body(side, paint, accent, eyes_open=True)
        self._winking = _body(side, paint, accent, eyes_open=False)
        self._wheels = [_wheels(side, accent, step * turn / steps) for step in range(steps)]

    def draw(self, picture: Image.Image, middle: int, floor: int, frame: int) -> None:
        """Draw it standing on row ``floor`` around column ``middle``, as it is at a frame's number."""
        left, top = middle - self._side // 2, floor - self._side
        bob = round(self._side * 0.012 * math.sin(frame * 0.55))
        body = self._winking if frame % 67 in (40, 41, 42, 43) else self._body
        self._shadow.paste(picture, left, top)
        body.paste(picture, left, top + bob)
        self._wheels[frame % len(self._wheels)].paste(picture, left, top)


class _Part:
    """A picture without its empty edges, which are no work then."""

    def __init__(self, whole: Image.Image) -> None:
        box = whole.getbbox() or (0, 0, *whole.size)
        self._image, (self._left, self._top) = whole.crop(box), box[:2]

    def paste(self, picture: Image.Image, left: int, top: int) -> None:
        """Lay it over ``picture`` where the whole one would begin at ``left`` and ``top``."""
        picture.paste(self._image, (left + self._left, top + self._top), self._image)


class _Sheet:
    """A transparent square to paint on, in hundredths of its side."""

    def __init__(self, side: int) -> None:
        self._scale = side * _SHARPNESS / 100
        self._image = Image.new("RGBA", (side * _SHARPNESS, side * _SHARPNESS))
        self._draw = ImageDraw.Draw(self._image)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, round_by: float = 0.0) -> None:
        corners = [value * self._scale for value in (left, top, right, bottom)]
        self._draw.rounded_rectangle(corners, round_by * self._scale, fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour) -> None:
        self.oval(x - radius, y - radius, x + radius, y + radius, fill)

    def oval(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        self._draw.ellipse([value * self._scale for value in (left, top, right, bottom)], fill)

    def line(self, start: tuple[float, float], end: tuple[float, float], width: float, fill: Colour) -> None:
        points = [value * self._scale for value in (*start, *end)]
        self._draw.line(points, fill, round(width * self._scale))

    def part(self) -> _Part:
        return _Part(self._image.reduce(_SHARPNESS))


def _shadow(side: int) -> _Part:
    sheet = _Sheet(side)
    for layer in range(6):
        inset = layer * 2.2
        sheet.oval(12 + inset, 92 + inset / 4, 90 - inset, 100 - inset / 4, (14, 8, 6, 34 + 18 * layer))
    return sheet.part()


def _body(side: int, paint: Colour, accent: Colour, *, eyes_open: bool) -> _Part:
    shade = tuple(part * 3 // 4 for part in paint)
    sheet = _Sheet(side)
    sheet.line((50, 20), (47, 8), 1.6, shade)
    sheet.disc(47, 7, 5.2, (*accent, 90))
    sheet.disc(47, 7, 3.2, accent)
    sheet.box(19, 30, 24, 42, shade, 2.4)
    sheet.box(78, 30, 83, 42, shade, 2.4)
    sheet.box(44, 52, 57, 62, shade)
    sheet.box(23, 17, 79, 55, shade, 14)
    sheet.box(23, 17, 79, 53, paint, 14)
    sheet.box(32, 24, 76, 46, _DARK, 9)
    for x in (46, 65):
        if eyes_open:
            sheet.disc(x, 35, 5.4, _GLOW)
            sheet.disc(x + 1.6, 33.2, 1.6, (255, 255, 255))
        else:
            sheet.line((x - 5, 35), (x + 5, 35), 2, _GLOW)
    sheet.box(24, 58, 78, 86, shade, 11)
    sheet.box(24, 58, 78, 83, paint, 11)
    sheet.box(24, 69, 78, 72, accent)
    sheet.box(54.5, 60.5, 73.5, 67.5, _DARK, 3.5)
    for x, light in ((58, (236, 92, 84)), (64, (250, 200, 80)), (70, (110, 210, 120))):
        sheet.disc(x, 64, 1.9, light)
    sheet.box(32, 62, 40, 78, shade, 4)
    sheet.disc(36, 79, 4.6, accent)
    return sheet.part()


def _wheels(side: int, accent: Colour, angle: float) -> _Part:
    radius = 100 * _RADIUS
    sheet = _Sheet(side)
    for x in (32.0, 69.0):
        y = 99.5 - radius
        sheet.disc(x, y, radius, _DARK)
        sheet.disc(x, y, radius * 0.72, (206, 210, 216))
        for spoke in range(_SPOKES):
            turned = angle + spoke * 2 * math.pi / _SPOKES
            end = (x + math.cos(turned) * radius * 0.7, y + math.sin(turned) * radius * 0.7)
            sheet.line((x, y), end, 2.6, (84, 90, 104))
        sheet.disc(x, y, radius * 0.28, accent)
    return sheet.part()
