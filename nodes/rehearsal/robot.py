"""The actor: a small robot on wheels, painted once and then only moved."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .picture import Colour, Decal, Picture, even

_SPOKES = 5
_PAINTS: tuple[Colour, ...] = ((238, 238, 232), (244, 196, 92), (126, 190, 214), (232, 132, 112), (150, 200, 150))
_DARK = (26, 30, 44)
_GLOW = (112, 232, 255)
_SHARPNESS = 3
"""Painted this many times larger, then reduced, for smooth edges."""
_RADIUS = 0.145
"""Of the wheels, as a part of the robot's height."""


@dataclass(frozen=True)
class Robot:
    """Its parts as decals, each as large as the robot's whole square."""

    side: int
    """Pixels of that square; the wheels touch its lower edge."""
    shadow: Decal
    body: Decal
    winking: Decal
    wheels: tuple[Decal, ...]
    """One turn to the next spoke, in as many steps as there are decals."""

    def draw(self, picture: Picture, middle: int, floor: int, frame: int) -> None:
        """Draw it standing on row ``floor`` around column ``middle``, as it is at a frame's number."""
        left, top = even(middle - self.side / 2), floor - self.side
        bob = even(self.side * 0.012 * math.sin(frame * 0.55))
        self.shadow.lay(picture, left, top)
        body = self.winking if frame % 67 in (40, 41, 42, 43) else self.body
        body.lay(picture, left, top + bob)
        self.wheels[frame % len(self.wheels)].lay(picture, left, top)


def build_robot(side: int, rolling: int, rng: np.random.Generator) -> Robot:
    """A robot of ``side`` pixels whose wheels turn as a desk moving ``rolling`` pixels per frame makes them."""
    first, second = rng.choice(len(_PAINTS), 2, replace=False)
    paint, accent = _PAINTS[first], _PAINTS[second]
    turn = 2 * math.pi / _SPOKES
    steps = max(3, round(turn * _RADIUS * side / rolling))
    return Robot(
        side,
        _shadow(side),
        _body(side, paint, accent, eyes_open=True),
        _body(side, paint, accent, eyes_open=False),
        tuple(_wheels(side, accent, step * turn / steps) for step in range(steps)),
    )


class _Sheet:
    """A transparent square to paint on, in hundredths of its side."""

    def __init__(self, side: int) -> None:
        self._scale = side * _SHARPNESS / 100
        self._image = Image.new("RGBA", (side * _SHARPNESS, side * _SHARPNESS))
        self._draw = ImageDraw.Draw(self._image)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, round_by: float = 0.0) -> None:
        corners = [value * self._scale for value in (left, top, right, bottom)]
        self._draw.rounded_rectangle(corners, round_by * self._scale, fill)

    def disc(self, x: float, y: float, radius: float, fill: tuple[int, ...]) -> None:
        self.oval(x - radius, y - radius, x + radius, y + radius, fill)

    def oval(self, left: float, top: float, right: float, bottom: float, fill: tuple[int, ...]) -> None:
        self._draw.ellipse([value * self._scale for value in (left, top, right, bottom)], fill)

    def line(self, start: tuple[float, float], end: tuple[float, float], width: float, fill: Colour) -> None:
        points = [value * self._scale for value in (*start, *end)]
        self._draw.line(points, fill, round(width * self._scale))

    def decal(self) -> Decal:
        return Decal.of(np.asarray(self._image.reduce(_SHARPNESS), dtype=np.uint8))


def _shadow(side: int) -> Decal:
    sheet = _Sheet(side)
    for layer in range(6):
        inset = layer * 2.2
        sheet.oval(12 + inset, 92 + inset / 4, 90 - inset, 100 - inset / 4, (14, 8, 6, 34 + 18 * layer))
    return sheet.decal()


def _body(side: int, paint: Colour, accent: Colour, *, eyes_open: bool) -> Decal:
    shade: Colour = (paint[0] * 3 // 4, paint[1] * 3 // 4, paint[2] * 3 // 4)
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
    return sheet.decal()


def _wheels(side: int, accent: Colour, angle: float) -> Decal:
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
    return sheet.decal()
