"""An MP4 into one preallocated float32 tensor, by OpenCV alone. Peak memory is the tensor plus a constant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import Damaged, NotAVideo, NothingSelected, Stopped
from .mp4 import check_mp4, is_mp4

if TYPE_CHECKING:
    import cv2
    import numpy as np
    import torch
    from numpy.typing import NDArray

_AGAIN: Final = "Delete it and fetch or generate it again."


@dataclass(frozen=True)
class Selection:
    """Which frames of a clip are wanted."""

    skip_first_frames: int = 0
    frame_load_cap: int = 0
    """At most so many; 0 means all."""
    select_every_nth: int = 1

    def of(self, count: int) -> range:
        """The wanted ones of ``count`` frames, by number from 0."""
        wanted = range(self.skip_first_frames, count, self.select_every_nth)
        return wanted[: self.frame_load_cap] if self.frame_load_cap else wanted


ALL: Final = Selection()


@dataclass(frozen=True)
class Clip:
    """The frames of a video file."""

    images: torch.Tensor
    """float32 [frames, height, width, 3], RGB, 0..1, contiguous, on the CPU."""
    fps: float
    """Frames per second of the file, whichever of them were selected."""


def _ignore(done: int, total: int) -> None:
    """No progress is wanted."""


def decode(
    file: Path,
    selection: Selection = ALL,
    *,
    progress: Callable[[int, int], object] = _ignore,
    stopped: Callable[[], bool] = lambda: False,
) -> Clip:
    """Read the selected frames of a video. Blocks; meant for a worker thread.

    Args:
        progress: told the frames done and in all.
        stopped: asked before every frame.

    Raises:
        NotAVideo: OpenCV cannot read it.
        Damaged: it is incomplete.
        NothingSelected: the selection leaves no frame.
        Stopped: ``stopped`` said so.
    """
    if is_mp4(file):
        check_mp4(file)
    count = _count(file, stopped)
    wanted = selection.of(count)
    if not wanted:
        raise NothingSelected(
            f"{file.name} has {count} frames, and the frame controls leave none of them.",
            "Lower skip_first_frames.",
        )
    reader = _open(file)
    try:
        return Clip(_read(reader, file, wanted, progress, stopped), _fps(reader))
    finally:
        reader.release()


def _read(
    reader: cv2.VideoCapture,
    file: Path,
    wanted: range,
    progress: Callable[[int, int], object],
    stopped: Callable[[], bool],
) -> torch.Tensor:
    import cv2
    import numpy as np
    import torch

    to_float = (np.arange(256, dtype=np.float32) / np.float32(255)).reshape(1, 256)
    images = torch.empty(0)
    frames: NDArray[np.float32] = images.numpy()
    bgr: cv2.typing.MatLike | None = None
    rgb = np.empty(0, np.uint8)
    done = 0
    for number in range(wanted[-1] + 1):
        if stopped():
            raise Stopped
        if not reader.grab():
            raise Damaged(f"{file.name} breaks off after {number} frames.", _AGAIN)
        if number != wanted[done]:
            continue
        got, bgr = reader.retrieve(bgr)
        if not got:
            raise Damaged(f"Frame {number} of {file.name} cannot be read.", _AGAIN)
        if done == 0:
            # The first frame's size counts: the header may say another, and knows nothing of rotation.
            # torch.empty rather than np.empty, which asks for huge pages that are slow to touch first.
            images = torch.empty((len(wanted), *bgr.shape), dtype=torch.float32)
            frames = images.numpy()
            rgb = np.empty_like(bgr)
        cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=rgb)
        cv2.LUT(rgb, to_float, dst=frames[done])
        done += 1
        progress(done, len(wanted))
    return images


def _count(file: Path, stopped: Callable[[], bool]) -> int:
    """The number of frames, by demuxing them all: what the header says may be anything."""
    import cv2

    # Format -1 asks for raw packets, so that nothing is decoded.
    reader = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    try:
        count = 0
        while reader.grab():
            count += 1
            if stopped():
                raise Stopped
        return count
    finally:
        reader.release()


def _open(file: Path) -> cv2.VideoCapture:
    import cv2

    reader = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG)
    if reader.isOpened():
        return reader
    raise NotAVideo(f"OpenCV cannot read {file.name}.", "Use an H.264 MP4.")


def _fps(reader: cv2.VideoCapture) -> float:
    import cv2

    return reader.get(cv2.CAP_PROP_FPS)
