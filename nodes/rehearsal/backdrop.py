"""The set: an evening room out of focus with fairy lights, and a wooden desk that rolls by."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .picture import Picture, Planes, even, planes_of

_LIGHTS = ((255, 190, 110), (255, 150, 90), (255, 214, 160), (240, 120, 130), (120, 200, 210))
_SHADES = ((28, 30, 62), (36, 24, 58), (20, 38, 60), (46, 26, 44))
"""Colours of the wall's upper end; the seed picks one."""
_WOOD = (158, 104, 62)


@dataclass(frozen=True)
class Strip:
    """A band over the picture's full width that scrolls for ever."""

    planes: Planes
    """One period and, after it, one picture's width of the same again."""
    period: int
    top: int
    step: int
    """Pixels per frame, even."""

    def draw(self, picture: Picture, frame: int) -> None:
        """Draw it as it is at a frame's number."""
        picture.copy(self.planes, frame * self.step % self.period, self.top)


def build_strips(width: int, height: int, floor: int, rolling: int, rng: np.random.Generator) -> list[Strip]:
    """The wall and the desk's planks; what is nearer rolls by faster.

    Args:
        floor: the row on which things on the client stand.
        rolling: pixels per frame that the client moves there.
        rng: the source of everything that looks like chance.
    """
    edge = even(floor - 0.13 * height)
    strips = [_strip(_wall(width, edge, rng), width, edge, 0, even(rolling / 3))]
    rows = (edge, even(floor - 0.055 * height), even(floor + 0.035 * height), height)
    for depth, (top, bottom) in enumerate(pairwise(rows)):
        step = even(rolling * (0.65 + 0.35 * depth))
        brightness = 0.62 + 0.19 * depth
        strips.append(_strip(_plank(width, bottom - top, brightness, rng), width, bottom - top, top, step))
    return strips


@dataclass(frozen=True)
class _Texture:
    """One period of a soft picture at a fraction of its final size: float32 [rows, columns, 3], RGB."""

    colours: NDArray[np.float32]
    scale: int


def _strip(texture: _Texture, width: int, height: int, top: int, step: int) -> Strip:
    scale, columns = texture.scale, texture.colours.shape[1]
    period = columns * scale
    margin = 4
    # Enlarged together with what follows after its end, so that the seam cannot be seen.
    wrapped = np.take(texture.colours, range(-margin, columns + width // scale + 2 * margin), axis=1, mode="wrap")
    large = cv2.resize(wrapped, (wrapped.shape[1] * scale, wrapped.shape[0] * scale), interpolation=cv2.INTER_CUBIC)
    part = np.asarray(large)[:height, margin * scale : margin * scale + period + width]
    return Strip(planes_of(np.clip(np.rint(part), 0, 255).astype(np.uint8)), period, top, step)


def _wall(width: int, height: int, rng: np.random.Generator) -> _Texture:
    scale = 2 * max(1, round(height / 260))
    rows, columns = -(-height // scale), 3 * width // (2 * scale)
    upper = np.array(_SHADES[rng.integers(len(_SHADES))], np.float32)
    lower = np.array((96, 58, 62), np.float32)
    blend = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None] ** 1.6
    colours = np.repeat(upper + (lower - upper) * blend, columns, axis=1)

    def glow(x: float, y: float, radius: float, strength: float, rim: float) -> None:
        reach = radius + 2
        across = np.arange(int(x - reach), int(x + reach) + 1)
        down = np.arange(max(0, int(y - reach)), min(rows, int(y + reach) + 1))
        distance = np.hypot(across[None, :] - x, down[:, None] - y) / radius
        disc = np.clip((1 - distance) * radius * 0.7, 0, 1) * (1 - rim + rim * np.minimum(distance, 1) ** 3)
        light = np.array(_LIGHTS[rng.integers(len(_LIGHTS))], np.float32)
        place = np.ix_(down, across % columns)
        colours[place] += (light - colours[place]) * (strength * disc)[..., None]

    short = min(rows, columns / 2)
    for _ in range(max(24, columns // 9)):
        size = rng.uniform(0.03, 0.11) * short
        glow(rng.uniform(0, columns), rng.uniform(0.05, 0.95) * rows, size, rng.uniform(0.08, 0.3), 0.4)
    bulbs = max(18, columns // 16)
    for bulb in range(bulbs):
        x = bulb * columns / bulbs
        y = rows * (0.30 + 0.17 * abs(np.sin(x * np.pi * 4 / columns)))
        glow(x, y, 0.055 * short, 0.2, 0.0)
        glow(x, y, 0.022 * short, 0.95, 0.0)
    colours += rng.normal(0, 1.2, (rows, columns, 1)).astype(np.float32)  # hides the steps of the gradient
    return _Texture(colours.astype(np.float32), scale)


def _plank(width: int, height: int, brightness: float, rng: np.random.Generator) -> _Texture:
    scale = 2
    rows, columns = height // scale, width // scale
    grain = rng.normal(0, 1, (rows, columns)).astype(np.float32)
    wrapped = np.take(grain, range(-24, columns + 24), axis=1, mode="wrap")
    fine = np.asarray(cv2.blur(wrapped, (49, 1)))[:, 24:-24] * 7
    waves = np.cumsum(rng.normal(0, 0.35, rows)).astype(np.float32)[:, None]
    phase = np.arange(columns, dtype=np.float32)[None, :] * (2 * np.pi / columns)
    tone = 1 + 0.06 * np.sin(3 * waves + np.sin(phase) + 0.5 * np.sin(3 * phase)) + 0.045 * fine
    tone *= np.linspace(0.92, 1.06, rows, dtype=np.float32)[:, None]
    for joint in rng.uniform(0, columns, 2):
        distance = np.abs((np.arange(columns) - joint + columns / 2) % columns - columns / 2)
        tone *= 1 - 0.45 * np.clip(1.6 - distance, 0, 1)[None, :]
    tone[0] *= 1.3
    tone[-1] *= 0.55
    return _Texture((np.array(_WOOD, np.float32) * brightness * tone[..., None]).astype(np.float32), scale)
