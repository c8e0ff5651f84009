"""The set: an evening room out of focus with fairy lights, and a wooden desk that rolls by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from PIL import Image, ImageDraw, ImageOps

_LIGHTS = ((255, 190, 110), (255, 150, 90), (255, 214, 160), (240, 120, 130), (120, 200, 210))
_UPPER_WALL = ((28, 30, 62), (36, 24, 58), (20, 38, 60), (46, 26, 44))
"""The seed picks one."""
_LOWER_WALL = (96, 58, 62)
_WOOD = (158, 104, 62)
_SHARPNESS = 3
"""The wall is painted this many times larger, then reduced, for smooth edges."""
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
        self._strips = [_wall(width, round(edges[0]), _even(speed / 3), rng)]
        for depth, (top, bottom) in enumerate(pairwise(map(round, edges))):
            self._strips.append(_plank(width, top, bottom - top, depth, _even(speed * (0.65 + 0.35 * depth)), rng))

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


def _even(value: float) -> int:
    return 2 * round(value / 2)


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
