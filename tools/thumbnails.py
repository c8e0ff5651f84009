"""Draw the pictures that ComfyUI's template browser shows for the example workflows, from frames of rehearsals.

`python -m tools.thumbnails` writes one JPEG beside each file of `example_workflows`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from nodes.rehearsal.render import Captions, draw_frames, font, wrap
from nodes.rehearsal.schema import VideoRequest

EXAMPLES: Final = Path(__file__).resolve().parent.parent / "example_workflows"
SIZE: Final = 512
"""Pixels, both ways."""
QUALITY: Final = 84
SHARPNESS: Final = 2
"""Drawn so many times larger, for smooth edges."""
WHOLE: Final = SIZE * SHARPNESS
BADGE: Final = 0.16
"""The part of a rehearsal's height that its badge takes."""

TEXT: Final = "A small round robot rolls across a wooden desk in the evening."
SEED: Final = 38810827

BACKGROUND: Final = (24, 26, 36)
CARD: Final = (44, 47, 62)
AMBER: Final = (255, 184, 48)
WHITE: Final = (246, 246, 240)
INK: Final = (34, 26, 10)

Picture = Image.Image
Box = tuple[int, int, int, int]
"""Left, top, right, bottom, in parts of WHOLE."""


def main() -> int:
    """Write all pictures. Returns the exit code."""
    for name, draw in THUMBNAILS.items():
        write(draw(), EXAMPLES / f"{name}.jpg")
    return 0


def write(picture: Picture, file: Path) -> None:
    """Write a picture as a JPEG of a half of its width and height."""
    picture.reduce(SHARPNESS).save(file, quality=QUALITY, optimize=True)


@lru_cache
def frame(number: int, seed: int = SEED) -> Picture:
    """A square part of one frame of a rehearsal, without what is written on it."""
    request = VideoRequest(text=TEXT, resolution="1080p", ratio="1:1", duration=2, seed=seed)
    side = request.size[0]
    drawn = next(islice(draw_frames(request), number, None))
    top, bottom = round(BADGE * side), Captions(request).panel_top
    left = (side - (bottom - top)) // 2
    return drawn.crop((left, top, side - left, bottom))


def first_video() -> Picture:
    """A video that plays."""
    canvas = frame(0).resize((WHOLE, WHOLE))
    shade(canvas, (0, 760, WHOLE, WHOLE))
    draw = ImageDraw.Draw(canvas)
    draw.ellipse((56, 836, 184, 964), AMBER)
    draw.polygon([(102, 866), (102, 934), (156, 900)], INK)
    draw.rounded_rectangle((224, 892, 968, 908), 8, (120, 122, 134))
    draw.rounded_rectangle((224, 892, 520, 908), 8, AMBER)
    draw.ellipse((504, 884, 536, 916), WHITE)
    return canvas


def text_to_video() -> Picture:
    """A text, and above it what becomes of it."""
    canvas = blank()
    lay(canvas, frame(0), (56, 56, 968, 600))
    draw = ImageDraw.Draw(canvas)
    draw.rounded_rectangle((56, 652, 968, 968), 32, CARD)
    letters = font(58)
    lines = wrap(TEXT, letters, 800, 3)
    for number, line in enumerate(lines):
        draw.text((104, 692 + 78 * number), line, WHITE, letters)
    end, top = 112 + letters.getlength(lines[-1]), 692 + 78 * (len(lines) - 1)
    draw.rectangle((end, top, end + 6, top + 64), AMBER)
    draw.polygon([(472, 636), (552, 636), (512, 584)], AMBER)
    return canvas


def app() -> Picture:
    """A form with a button, and beside it the video."""
    canvas = blank()
    lay(canvas, frame(0), (440, 56, 968, 968))
    draw = ImageDraw.Draw(canvas)
    draw.rounded_rectangle((56, 56, 392, 968), 32, CARD)
    for number, line in enumerate(wrap(TEXT, font(40), 256, 7)):
        draw.text((96, 100 + 56 * number), line, WHITE, font(40))
    for top in (560, 660):
        draw.rounded_rectangle((96, top, 352, top + 60), 16, BACKGROUND)
    draw.rounded_rectangle((96, 812, 352, 920), 28, AMBER)
    draw.text((224, 866), "Run", INK, font(52), anchor="mm", stroke_width=1)
    return canvas


def four_seeds() -> Picture:
    """Four videos in a square, each with its seed."""
    canvas = blank()
    for number in range(4):
        left, top = 24 + 500 * (number % 2), 24 + 500 * (number // 2)
        lay(canvas, frame(12, SEED + number), (left, top, left + 476, top + 476))
        chip(canvas, f"seed {SEED + number}", (left + 20, top + 404), 34)
    return canvas


def upscale_2x() -> Picture:
    """One frame, coarse at the left and fine at the right."""
    canvas = frame(0).resize((WHOLE, WHOLE))
    canvas.paste(coarse(canvas).crop((0, 0, WHOLE // 2, WHOLE)))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((508, 0, 516, WHOLE), WHITE)
    draw.ellipse((432, 792, 592, 952), AMBER)
    draw.text((512, 870), "2x", INK, font(84), anchor="mm", stroke_width=2)
    return canvas


def upscale_an_existing_video() -> Picture:
    """A small coarse video on its large fine self."""
    canvas = frame(12, SEED + 2).resize((WHOLE, WHOLE))
    lay(canvas, coarse(canvas), (40, 632, 392, 984), edge=WHITE)
    chip(canvas, "2x", (800, 850), 84)
    return canvas


def upscale_with_image_nodes() -> Picture:
    """Frames side by side, each of which becomes a large one."""
    canvas = blank()
    for number in range(3):
        lay(canvas, coarse(frame(12 * number, SEED + 1)), (56 + 312 * number, 56, 344 + 312 * number, 344))
    lay(canvas, frame(24, SEED + 1), (224, 424, 800, 1000), edge=AMBER)
    chip(canvas, "2x", (820, 850), 84)
    return canvas


def load_and_cut() -> Picture:
    """A frame above a strip of frames, with the part that is kept between two handles."""
    canvas = blank()
    lay(canvas, frame(24), (56, 56, 968, 640))
    strip = (56, 712, 968, 920)
    cells = 6
    width = (strip[2] - strip[0]) // cells
    for cell in range(cells):
        left = strip[0] + cell * width
        lay(canvas, frame(8 * cell), (left + 3, strip[1], left + width - 3, strip[3]), round_by=8)
    kept = (strip[0] + 2 * width, strip[1] - 16, strip[0] + 5 * width, strip[3] + 16)
    shade(canvas, (0, kept[1], kept[0], kept[3]), even=True)
    shade(canvas, (kept[2], kept[1], WHOLE, kept[3]), even=True)
    draw = ImageDraw.Draw(canvas)
    draw.rounded_rectangle(kept, 20, outline=AMBER, width=12)
    for handle in (kept[0], kept[2]):
        draw.rounded_rectangle((handle - 22, kept[1], handle + 22, kept[3]), 14, AMBER)
        draw.rounded_rectangle((handle - 4, 784, handle + 4, 848), 4, INK)
    return canvas


def last_frame() -> Picture:
    """Frames one behind the other; the last is in front."""
    canvas = blank()
    frames = (0, 16, 32, 48)
    for place, number in enumerate(frames):
        left, top, side = 48 + 92 * place, 48 + 64 * place, 520 + 44 * place
        is_last = number == frames[-1]
        lay(canvas, frame(number), (left, top, left + side, top + side), edge=AMBER if is_last else WHITE)
        if not is_last:
            shade(canvas, (left, top, left + side, top + side), even=True)
    return canvas


THUMBNAILS: Mapping[str, Callable[[], Picture]] = MappingProxyType(
    {
        "Seedance - First video (rehearsal)": first_video,
        "Seedance - Text to video": text_to_video,
        "Seedance - Text to video (app)": app,
        "Seedance - Four seeds side by side": four_seeds,
        "Seedance - Upscale 2x": upscale_2x,
        "Seedance - Upscale an existing video 2x": upscale_an_existing_video,
        "Seedance - Upscale with image nodes": upscale_with_image_nodes,
        "Seedance - Load and cut a clip": load_and_cut,
        "Seedance - Last frame for the next shot": last_frame,
    }
)
"""By the file names of the workflows."""


def blank() -> Picture:
    return Image.new("RGB", (WHOLE, WHOLE), BACKGROUND)


def coarse(picture: Picture) -> Picture:
    """The same picture as large squares of one colour."""
    return picture.reduce(16).resize(picture.size, Image.Resampling.NEAREST)


def lay(canvas: Picture, picture: Picture, box: Box, *, edge: Sequence[int] = (), round_by: int = 28) -> None:
    """Put the middle of a picture into a box with round corners, and an edge around it if one is wanted."""
    width, height = box[2] - box[0], box[3] - box[1]
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), round_by, 255)
    canvas.paste(ImageOps.fit(picture, (width, height)), box[:2], mask)
    if edge:
        ImageDraw.Draw(canvas).rounded_rectangle(box, round_by, outline=tuple(edge), width=10)


def shade(canvas: Picture, box: Box, *, even: bool = False) -> None:
    """Darken a box: all of it alike, or more and more towards its lower edge."""
    width, height = box[2] - box[0], box[3] - box[1]
    depth = np.full(height, 150, np.uint8) if even else np.linspace(0, 200, height).astype(np.uint8)
    mask = Image.fromarray(np.repeat(depth[:, None], width, axis=1))
    canvas.paste(BACKGROUND, box, mask)


def chip(canvas: Picture, text: str, corner: tuple[int, int], size: int) -> None:
    """A word on an amber ground; `corner` is its upper left one."""
    letters = font(size)
    (left, top), inset = corner, size // 2
    draw = ImageDraw.Draw(canvas)
    right, bottom = left + letters.getlength(text) + 2 * inset, top + 1.6 * size
    draw.rounded_rectangle((left, top, right, bottom), 0.8 * size, AMBER)
    draw.text((left + inset, (top + bottom) / 2), text, INK, letters, anchor="lm", stroke_width=size // 40)


if __name__ == "__main__":
    sys.exit(main())
