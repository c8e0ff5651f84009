"""Draw the registry's pictures of this pack: docs/icon.png, 400 by 400, and docs/banner.png, 21 to 9.

Both show the same thing: frames that fan out of one point like a dancer's turn, the last of them ready to play.
Everything is drawn here, so the same Pillow draws the same pictures again.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs"
ICON: Final = (400, 400)
BANNER: Final = (1680, 720)
FINER: Final = 3
"""Drawn so many times larger and then reduced, which smooths the edges."""

Colour = tuple[int, int, int]
NIGHT: Final[Colour] = (13, 15, 34)
DUSK: Final[Colour] = (58, 32, 94)
WHITE: Final[Colour] = (255, 255, 255)
SWEEP: Final[tuple[Colour, ...]] = ((64, 92, 214), (104, 84, 226), (158, 78, 222), (222, 82, 178), (255, 122, 112))
"""From the first frame to the last."""


def main() -> None:
    for name, picture in (("icon", icon()), ("banner", banner())):
        file = FOLDER / f"{name}.png"
        picture.save(file, optimize=True)
        print(f"{file} {picture.width}x{picture.height} {file.stat().st_size:,} bytes")


def icon() -> Image.Image:
    """The fan alone, on a tile with round corners."""
    width, height = (side * FINER for side in ICON)
    picture = night(width, height, glow=(0.62, 0.34))
    fan(picture, pivot=(0.53 * width, 1.06 * height), radius=0.6 * height, frame=0.6 * width, spread=(-50.0, 9.0))
    tile = Image.new("L", picture.size, 0)
    ImageDraw.Draw(tile).rounded_rectangle((0, 0, width - 1, height - 1), 0.18 * width, fill=255)
    picture.putalpha(tile)
    return picture.resize(ICON, Image.Resampling.LANCZOS)


def banner() -> Image.Image:
    """The name on the left, the fan on the right, and between them the noodle of a graph."""
    width, height = (side * FINER for side in BANNER)
    picture = night(width, height, glow=(0.78, 0.4))
    noodle(picture, start=(0.408 * width, 0.735 * height), end=(0.6 * width, 0.62 * height))
    fan(picture, pivot=(0.755 * width, 1.1 * height), radius=0.62 * height, frame=0.25 * width, spread=(-58.0, 20.0))
    prompt(picture, (0.062 * width, 0.665 * height, 0.408 * width, 0.805 * height))
    draw = ImageDraw.Draw(picture)
    draw.text((0.06 * width, 0.2 * height), "Seedance", WHITE, ImageFont.load_default(0.195 * height))
    draw.text((0.064 * width, 0.43 * height), "for ComfyUI", (196, 186, 255), ImageFont.load_default(0.098 * height))
    return picture.resize(BANNER, Image.Resampling.LANCZOS).convert("RGB")


def night(width: int, height: int, glow: tuple[float, float]) -> Image.Image:
    """A dark background that is lighter around `glow`, given in parts of width and height."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot((across - glow[0] * width) / height, (down - glow[1] * height) / height)
    share = np.clip(1 - distance / 0.95, 0, 1)[..., None] ** 1.6
    mixed = np.array(NIGHT, np.float32) * (1 - share) + np.array(DUSK, np.float32) * share
    # A grain of less than one level keeps the slow change of colour from showing as bands.
    grain = np.random.default_rng(1).random((height, width, 1), np.float32)
    return Image.fromarray((mixed + grain).astype(np.uint8)).convert("RGBA")


def fan(
    picture: Image.Image,
    pivot: tuple[float, float],
    radius: float,
    frame: float,
    spread: tuple[float, float],
) -> None:
    """Frames of a film around a point below them, each over the one before, and the last with a play button."""
    first, last = spread
    for number, colour in enumerate(SWEEP):
        share = number / (len(SWEEP) - 1)
        angle = math.radians(first + (last - first) * share)
        size = frame * (0.54 + 0.46 * share)
        card = film_frame(size, colour, play=number == len(SWEEP) - 1).rotate(
            -math.degrees(angle), Image.Resampling.BICUBIC, expand=True
        )
        centre = pivot[0] + radius * math.sin(angle), pivot[1] - radius * math.cos(angle)
        corner = round(centre[0] - card.width / 2), round(centre[1] - card.height / 2)
        shadow = Image.new("RGBA", picture.size)
        dark = Image.new("RGBA", card.size, (4, 3, 16, 150))
        shadow.paste(dark, (corner[0], corner[1] + round(size * 0.03)), card.getchannel("A"))
        picture.alpha_composite(shadow.filter(ImageFilter.GaussianBlur(size * 0.035)))
        picture.alpha_composite(card, _inside(corner, picture, card))


def film_frame(width: float, colour: Colour, *, play: bool) -> Image.Image:
    """One frame: 4 to 3, a light edge, the holes of a film on both sides, perhaps a play button."""
    height, edge = width * 0.75, width * 0.05
    card = Image.new("RGBA", (math.ceil(width), math.ceil(height)))
    draw = ImageDraw.Draw(card)
    box = (0, 0, card.width - 1, card.height - 1)
    draw.rounded_rectangle(box, width * 0.11, fill=(*_mixed(colour, WHITE, 0.35), 255))
    inner = (edge * 0.5, edge * 0.5, card.width - 1 - edge * 0.5, card.height - 1 - edge * 0.5)
    draw.rounded_rectangle(inner, width * 0.09, fill=(*colour, 255))
    hole = width * 0.058
    for row in range(4):
        top = height * (0.13 + row * 0.2)
        for left in (width * 0.075, width * 0.925 - hole):
            draw.rounded_rectangle((left, top, left + hole, top + height * 0.13), hole * 0.34, fill=(*NIGHT, 215))
    if play:
        middle, reach = (width * 0.525, height * 0.5), height * 0.27
        corners = [
            (middle[0] + reach * math.cos(turn), middle[1] + reach * math.sin(turn))
            for turn in (0, 2 * math.pi / 3, 4 * math.pi / 3)
        ]
        draw.polygon(corners, fill=(*WHITE, 255))
        draw.line([*corners, corners[0], corners[1]], fill=(*WHITE, 255), width=round(width * 0.05), joint="curve")
    return card


def noodle(picture: Image.Image, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A graph's connection: it leaves and arrives level."""
    way = (end[0] - start[0]) * 0.5
    points = [start, (start[0] + way, start[1]), (end[0] - way, end[1]), end]
    draw, thick = ImageDraw.Draw(picture), picture.height * 0.006
    for step in range(601):  # dots, since a line of many pieces has frayed edges
        x, y = _bezier(points, step / 600)
        draw.ellipse((x - thick, y - thick, x + thick, y + thick), fill=SWEEP[2])


def prompt(picture: Image.Image, box: tuple[float, float, float, float]) -> None:
    """A text field with a socket on its right edge."""
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = box
    tall = bottom - top
    draw.rounded_rectangle(box, tall * 0.26, fill=(30, 28, 58), outline=(92, 84, 158), width=round(tall * 0.028))
    words = ImageFont.load_default(tall * 0.36)
    middle = (top + bottom) / 2
    draw.text((left + tall * 0.36, middle), "a red fox trots through snow", (228, 224, 255), words, anchor="lm")
    socket = tall * 0.14
    draw.ellipse((right - socket, middle - socket, right + socket, middle + socket), fill=SWEEP[2])


def _bezier(points: list[tuple[float, float]], share: float) -> tuple[float, float]:
    weights = [math.comb(3, k) * share**k * (1 - share) ** (3 - k) for k in range(4)]
    return (
        sum(weight * point[0] for weight, point in zip(weights, points, strict=True)),
        sum(weight * point[1] for weight, point in zip(weights, points, strict=True)),
    )


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a * (1 - share) + b * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _inside(corner: tuple[int, int], picture: Image.Image, card: Image.Image) -> tuple[int, int]:
    """The corner, moved so that the card lies on the picture, which alpha_composite demands."""
    return max(0, min(corner[0], picture.width - card.width)), max(0, min(corner[1], picture.height - card.height))


if __name__ == "__main__":
    main()
