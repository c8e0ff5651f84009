"""What the videos show: a small robot on wheels that rolls over a desk, before an evening room out of focus."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random
from typing import Final

from PIL import Image, ImageDraw, ImageFilter, ImageOps

PAINTS: Final = ((238, 238, 232), (244, 196, 92), (126, 190, 214), (232, 132, 112), (150, 200, 150))
LIGHTS: Final = ((255, 190, 110), (255, 150, 90), (255, 214, 160), (240, 120, 130), (120, 200, 210))
UPPER_WALLS: Final = ((28, 30, 62), (36, 24, 58), (20, 38, 60), (46, 26, 44))
"""The seed picks one."""
LOWER_WALL: Final = (96, 58, 62)
WOOD: Final = (158, 104, 62)
DARK: Final = (26, 30, 44)
EYE_COLOUR: Final = (112, 232, 255)
WHEEL_RADIUS: Final = 0.145
"""Of the wheels, as a part of the robot's height."""


class Backdrop:
    """The wall and the desk's planks: row ``floor`` moves by ``speed`` pixels per frame, nearer rows faster."""

    def __init__(self, width: int, height: int, floor: int, speed: float, rng: Random) -> None:
        self._width = width
        edges = [round(floor + part * height) for part in (-0.13, -0.055, 0.035)]
        # Even steps, as a colour sample covers two pixels: what moves by whole samples is quick to encode.
        self._strips = [(_wall(width, edges[0], rng), 0, 2 * round(speed / 6))]
        for depth, (top, bottom) in enumerate(pairwise((*edges, height))):
            step = 2 * round(speed * (0.65 + 0.35 * depth) / 2)
            self._strips.append((_plank(width, bottom - top, 0.62 + 0.19 * depth, rng), top, step))

    def draw(self, picture: Image.Image, frame: int) -> None:
        """Cover a picture with it as it is in a numbered frame. Each strip is drawn twice, so that it never ends."""
        for strip, top, step in self._strips:
            left = frame * step % self._width
            picture.paste(strip, (-left, top))
            picture.paste(strip, (self._width - left, top))


def _wall(width: int, height: int, rng: Random) -> Image.Image:
    gradient = Image.linear_gradient("L").point([round(255 * (level / 255) ** 1.6) for level in range(256)])
    wall = ImageOps.colorize(gradient.resize((width, height)), rng.choice(UPPER_WALLS), LOWER_WALL)
    draw = ImageDraw.Draw(wall, "RGBA")

    def draw_light(x: float, y: float, radius: float, opacity: float) -> None:
        colour = (*rng.choice(LIGHTS), round(255 * opacity))
        for middle in (x - width, x, x + width):  # what is cut off at one side goes on at the other
            draw.ellipse((middle - radius, y - radius, middle + radius, y + radius), colour)

    short = min(height, 0.75 * width)
    for _ in range(max(24, 26 * width // height)):
        place = rng.uniform(0, width), rng.uniform(0.05, 0.95) * height
        draw_light(*place, rng.uniform(0.03, 0.11) * short, rng.uniform(0.08, 0.26))
    bulbs = max(12, 10 * width // height)
    for bulb in range(bulbs):
        x = bulb * width / bulbs
        y = height * (0.30 + 0.17 * abs(math.sin(x * math.tau / width)))
        draw_light(x, y, 0.055 * short, 0.2)
        draw_light(x, y, 0.022 * short, 0.95)
    return wall.filter(ImageFilter.GaussianBlur(short / 300))


def _plank(width: int, height: int, brightness: float, rng: Random) -> Image.Image:
    grain = Image.frombytes("L", (width // 32, height // 2), rng.randbytes(width // 32 * (height // 2)))
    dark, light = (tuple(round(part * brightness * tone) for part in WOOD) for tone in (0.88, 1.1))
    plank = ImageOps.colorize(grain.resize((width, height), Image.Resampling.BICUBIC), dark, light)
    draw = ImageDraw.Draw(plank, "RGBA")
    line = max(2, height // 24)
    for joint in (0, rng.randrange(width // 4, width)):  # the first hides where the grain begins anew
        draw.rectangle((joint, 0, joint + line, height), (0, 0, 0, 90))
    draw.rectangle((0, 0, width, line // 2), (255, 220, 180, 40))
    draw.rectangle((0, height - line // 2 - 1, width, height), (0, 0, 0, 110))
    return plank


class Robot:
    """Made of parts that move separately, in a square of ``side`` pixels with the wheels on its lower edge. The desk
    under it moves by ``speed`` pixels per frame.
    """

    def __init__(self, side: int, speed: float, rng: Random) -> None:
        paint, accent = rng.sample(PAINTS, 2)
        self._side, self._speed = side, speed
        shadow, drawn = _canvas()
        drawn.ellipse((150, 920, 870, 1000), (14, 8, 6, 190))
        self._shadow = shadow.filter(ImageFilter.GaussianBlur(14)).resize((side, side))
        self._awake, self._winking = (_body(paint, accent, is_awake).resize((side, side)) for is_awake in (True, False))
        self._wheel = _wheel(accent).resize((round(2 * WHEEL_RADIUS * side),) * 2)

    def draw(self, picture: Image.Image, middle: int, floor: int, frame: int) -> None:
        """Draw it standing on row ``floor`` around column ``middle``, as it is in a numbered frame."""
        side, left, top = self._side, middle - self._side // 2, floor - self._side
        bob = round(side * 0.012 * math.sin(frame * 0.55))
        body = self._winking if 40 <= frame % 67 < 44 else self._awake
        angle = math.degrees(frame * self._speed / (WHEEL_RADIUS * side))
        wheel = self._wheel.rotate(-angle, Image.Resampling.BICUBIC)
        picture.paste(self._shadow, (left, top), self._shadow)
        picture.paste(body, (left, top + bob), body)
        for axle in (0.32, 0.69):
            picture.paste(wheel, (left + round((axle - WHEEL_RADIUS) * side), floor - wheel.height), wheel)


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A transparent square of 1000 pixels: to be reduced, which makes the edges of what is drawn on it smooth."""
    image = Image.new("RGBA", (1000, 1000))
    return image, ImageDraw.Draw(image)


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: tuple[int, ...]) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill)


def _body(paint: tuple[int, ...], accent: tuple[int, ...], is_awake: bool) -> Image.Image:
    image, draw = _canvas()
    shade = tuple(part * 3 // 4 for part in paint)
    draw.line((500, 200, 470, 80), shade, 16)
    _disc(draw, 470, 70, 52, (*accent, 90))
    _disc(draw, 470, 70, 32, accent)
    draw.rounded_rectangle((190, 300, 830, 420), 24, shade)
    draw.rectangle((440, 520, 570, 620), shade)
    for colour, up in ((shade, 0), (paint, 20)):  # the darker one shows as a rim
        draw.rounded_rectangle((230, 170, 790, 550 - up), 140, colour)
        draw.rounded_rectangle((240, 580, 780, 860 - 1.5 * up), 110, colour)
    draw.rounded_rectangle((320, 240, 760, 460), 90, DARK)
    for x in (460, 650):
        if is_awake:
            _disc(draw, x, 350, 54, EYE_COLOUR)
            _disc(draw, x + 16, 332, 16, (255, 255, 255))
        else:
            draw.line((x - 50, 350, x + 50, 350), EYE_COLOUR, 20)
    draw.rectangle((240, 690, 780, 720), accent)
    draw.rounded_rectangle((545, 605, 735, 675), 35, DARK)
    for x, light in ((580, (236, 92, 84)), (640, (250, 200, 80)), (700, (110, 210, 120))):
        _disc(draw, x, 640, 19, light)
    draw.rounded_rectangle((320, 620, 400, 780), 40, shade)
    return image


def _wheel(accent: tuple[int, ...]) -> Image.Image:
    image, draw = _canvas()
    _disc(draw, 500, 500, 500, DARK)
    _disc(draw, 500, 500, 360, (206, 210, 216))
    for end in (spoke * math.tau / 5 for spoke in range(5)):
        draw.line((500, 500, 500 + 350 * math.cos(end), 500 + 350 * math.sin(end)), (84, 90, 104), 90)
    _disc(draw, 500, 500, 140, accent)
    return image
