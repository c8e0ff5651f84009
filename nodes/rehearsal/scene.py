"""What the videos show: a small robot on wheels that rolls over a desk, before an evening room out of focus."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
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
        self._shadow = _paint(side, _shadow())
        self._body = _paint(side, _body(paint, accent, eyes_open=True))
        self._winking = _paint(side, _body(paint, accent, eyes_open=False))
        self._wheels = [_paint(side, _wheels(accent, step * turn / steps)) for step in range(steps)]

    def draw(self, picture: Image.Image, middle: int, floor: int, frame: int) -> None:
        """Draw it standing on row ``floor`` around column ``middle``, as it is at a frame's number."""
        left, top = middle - self._side // 2, floor - self._side
        bob = round(self._side * 0.012 * math.sin(frame * 0.55))
        body = self._winking if frame % 67 in (40, 41, 42, 43) else self._body
        wheels = self._wheels[frame % len(self._wheels)]
        for part, down in ((self._shadow, 0), (body, bob), (wheels, 0)):
            picture.paste(part, (left, top + down), part)


Shape: TypeAlias = tuple[str, tuple[float, ...], Colour, float]
"""`line`, `box` or `oval`, its corners, and the width of the line or the radius of the box's corners; in hundredths of
the robot's side."""


def _paint(side: int, shapes: Iterable[Shape]) -> Image.Image:
    """A square that is transparent beside the shapes."""
    scale = side * _SHARPNESS / 100
    image = Image.new("RGBA", (side * _SHARPNESS, side * _SHARPNESS))
    draw = ImageDraw.Draw(image)
    for kind, corners, fill, size in shapes:
        points = [value * scale for value in corners]
        if kind == "line":
            draw.line(points, fill, round(size * scale))
        elif kind == "box":
            draw.rounded_rectangle(points, size * scale, fill)
        else:
            draw.ellipse(points, fill)
    return image.reduce(_SHARPNESS)


def _line(x: float, y: float, to_x: float, to_y: float, width: float, fill: Colour) -> Shape:
    return "line", (x, y, to_x, to_y), fill, width


def _box(left: float, top: float, right: float, bottom: float, fill: Colour, round_by: float = 0.0) -> Shape:
    return "box", (left, top, right, bottom), fill, round_by


def _disc(x: float, y: float, radius: float, fill: Colour) -> Shape:
    return "oval", (x - radius, y - radius, x + radius, y + radius), fill, 0.0


def _shadow() -> Iterator[Shape]:
    for layer in range(6):
        inset = layer * 2.2
        oval = (12 + inset, 92 + inset / 4, 90 - inset, 100 - inset / 4)
        yield "oval", oval, (14, 8, 6, 34 + 18 * layer), 0.0


def _body(paint: Colour, accent: Colour, *, eyes_open: bool) -> Iterator[Shape]:
    shade = tuple(part * 3 // 4 for part in paint)
    yield _line(50, 20, 47, 8, 1.6, shade)
    yield _disc(47, 7, 5.2, (*accent, 90))
    yield _disc(47, 7, 3.2, accent)
    yield _box(19, 30, 24, 42, shade, 2.4)
    yield _box(78, 30, 83, 42, shade, 2.4)
    yield _box(44, 52, 57, 62, shade)
    yield _box(23, 17, 79, 55, shade, 14)
    yield _box(23, 17, 79, 53, paint, 14)
    yield _box(32, 24, 76, 46, _DARK, 9)
    for x in (46, 65):
        if eyes_open:
            yield _disc(x, 35, 5.4, _GLOW)
            yield _disc(x + 1.6, 33.2, 1.6, (255, 255, 255))
        else:
            yield _line(x - 5, 35, x + 5, 35, 2, _GLOW)
    yield _box(24, 58, 78, 86, shade, 11)
    yield _box(24, 58, 78, 83, paint, 11)
    yield _box(24, 69, 78, 72, accent)
    yield _box(54.5, 60.5, 73.5, 67.5, _DARK, 3.5)
    for x, light in ((58, (236, 92, 84)), (64, (250, 200, 80)), (70, (110, 210, 120))):
        yield _disc(x, 64, 1.9, light)
    yield _box(32, 62, 40, 78, shade, 4)
    yield _disc(36, 79, 4.6, accent)


def _wheels(accent: Colour, angle: float) -> Iterator[Shape]:
    radius = 100 * _RADIUS
    y = 99.5 - radius
    for x in (32.0, 69.0):
        yield _disc(x, y, radius, _DARK)
        yield _disc(x, y, radius * 0.72, (206, 210, 216))
        for spoke in range(_SPOKES):
            turned = angle + spoke * 2 * math.pi / _SPOKES
            across, down = math.cos(turned) * radius * 0.7, math.sin(turned) * radius * 0.7
            yield _line(x, y, x + across, y + down, 2.6, (84, 90, 104))
        yield _disc(x, y, radius * 0.28, accent)
