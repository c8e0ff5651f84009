"""The ways from a video file to a float32 tensor that are measured against each other, and the floors below them.

Each is a function that imports what the way needs and returns the way itself, so that imports are not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import cv2
    import numpy as np
    import torch
    from numpy.typing import NDArray

Load = Callable[[Path], "torch.Tensor | None"]
"""Reads a file; None from a floor that makes no tensor."""

PAGE: Final = 4096


class Way(Enum):
    """What is measured."""

    OURS = "this pack"
    CORE = "ComfyUI core"
    GENERATOR = "generator"
    STACK = "list and stack"
    DECODE_FLOOR = "floor: decode"
    TOUCH_FLOOR = "floor: first touch"


def ours() -> Load:
    """This pack's decoder."""
    from nodes.video.decode import decode

    return lambda file: decode(file).images


def core() -> Load:
    """ComfyUI's own code; its folder must be on the path."""
    from comfy.cli_args import args

    args.cpu = True
    from comfy_api.latest import InputImpl

    def load(file: Path) -> torch.Tensor:
        images: torch.Tensor = InputImpl.VideoFromFile(str(file)).get_components().images
        return images

    return load


def generator() -> Load:
    """Frames from a generator into `np.fromiter`, which grows as it goes; as VideoHelperSuite does."""
    import cv2
    import numpy as np
    import torch

    def load(file: Path) -> torch.Tensor:
        reader = cv2.VideoCapture(str(file))
        width, height = (int(reader.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))

        def pictures() -> Iterator[NDArray[np.float32]]:
            for bgr in _frames(reader):
                picture = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.float32)
                torch.from_numpy(picture).div_(255)
                yield picture

        return torch.from_numpy(np.fromiter(pictures(), np.dtype((np.float32, (height, width, 3)))))

    return load


def stack() -> Load:
    """A list of float32 frames, then `np.stack`: the usual pack."""
    import cv2
    import numpy as np
    import torch

    def load(file: Path) -> torch.Tensor:
        pictures = [
            cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.float32) / 255.0
            for bgr in _frames(cv2.VideoCapture(str(file)))
        ]
        return torch.from_numpy(np.stack(pictures))

    return load


def decode_floor() -> Load:
    """PyAV's decoding and its conversion to RGB, one after the other; the frames are thrown away."""
    from nodes.video.reader import open_frames, orientation_of, to_rgb

    def load(file: Path) -> None:
        with open_frames(file) as (_, first, frames):
            orientation = orientation_of(first)
            for frame in frames:
                to_rgb(frame, orientation)

    return load


def touch_floor() -> Load:
    """The tensor's memory from the system, one write a page; nothing is decoded."""
    import cv2
    import torch

    def load(file: Path) -> torch.Tensor:
        reader = cv2.VideoCapture(str(file))
        sides = (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH)
        images = torch.empty(*(int(reader.get(side)) for side in sides), 3, dtype=torch.float32)
        images.numpy().reshape(-1)[:: PAGE // images.element_size()] = 0
        return images

    return load


def _frames(reader: cv2.VideoCapture) -> Iterator[NDArray[np.uint8]]:
    got, frame = reader.read()
    while got:
        yield frame  # type: ignore[misc]  # OpenCV's type says any dtype; a video's frames are uint8
        got, frame = reader.read()


PREPARE: Final[Mapping[Way, Callable[[], Load]]] = MappingProxyType(
    {
        Way.OURS: ours,
        Way.CORE: core,
        Way.GENERATOR: generator,
        Way.STACK: stack,
        Way.DECODE_FLOOR: decode_floor,
        Way.TOUCH_FLOOR: touch_floor,
    }
)
