"""The ways from a video file to a float32 tensor that are measured against each other.

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

Load = Callable[[Path], "torch.Tensor"]


class Way(Enum):
    """What is measured."""

    OURS = "this pack"
    CORE = "ComfyUI core"
    GENERATOR = "generator"


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


def _frames(reader: cv2.VideoCapture) -> Iterator[NDArray[np.uint8]]:
    got, frame = reader.read()
    while got:
        yield frame  # type: ignore[misc]  # OpenCV's type says any dtype; a video's frames are uint8
        got, frame = reader.read()


PREPARE: Final[Mapping[Way, Callable[[], Load]]] = MappingProxyType(
    {Way.OURS: ours, Way.CORE: core, Way.GENERATOR: generator}
)
