"""A video file into one preallocated float32 tensor, by OpenCV alone. Peak memory is the tensor plus a constant.

One thread decodes, another converts what was decoded just before, and a third sees to the memory, whose first touch
costs as much as decoding. More threads or a deeper ring gain nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import AGAIN, Cancelled, CorruptVideo, NothingSelected, UnsupportedVideo, VideoError
from .memory import FRAME_BYTES, check_memory, not_enough
from .opencv import codec, open_video
from .prefault import prefault
from .probe import VideoInfo, count_frames

if TYPE_CHECKING:
    import cv2
    import numpy as np
    import torch
    from cv2.typing import MatLike
    from numpy.typing import NDArray

_SEEK_FROM: Final = 64
"""Frames; seeking to a nearer one takes longer than decoding what is in front of it."""


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
    """Frames per second of the file, on average, whichever of them were selected."""

    @property
    def facts(self) -> VideoInfo:
        """The selected frames as the file that they could be."""
        frames, height, width, _ = self.images.shape
        return VideoInfo(frames, width, height, self.fps)


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
        UnsupportedVideo: OpenCV cannot read it.
        CorruptVideo: it is incomplete.
        NothingSelected: the selection leaves no frame.
        NotEnoughMemory: the frames would not fit; nothing was allocated.
        Cancelled: ``stopped`` said so.
    """
    count = count_frames(file, stopped)
    wanted = selection.of(count.shown)
    if not wanted:
        raise NothingSelected(
            f"{file.name} has {count.shown} frames, and the frame controls leave none of them.",
            "Lower skip_first_frames.",
        )
    # Before the decoder is opened: of large pictures it takes more than a gigabyte for itself.
    check_memory(len(wanted) * count.pixels * FRAME_BYTES, len(wanted), decoder=count.decoder)
    reader = open_video(file)
    try:
        source = _Source(reader, file, wanted, stopped, exact_seeking=count.seekable)
        return Clip(_fill(source, len(wanted), progress), count.fps(reader))
    finally:
        reader.release()


class _Source:
    """Hands out the wanted frames one after the other, BGR, in two buffers that take turns."""

    def __init__(
        self, reader: cv2.VideoCapture, file: Path, wanted: range, stopped: Callable[[], bool], *, exact_seeking: bool
    ) -> None:
        self._reader = reader
        self._file = file
        self._stopped = stopped
        self._numbers = iter(wanted)
        self._grabbed = 0
        self._buffers: list[MatLike | None] = [None, None]
        if exact_seeking and wanted[0] >= _SEEK_FROM:
            self._seek(wanted[0])

    @property
    def name(self) -> str:
        """Of the file, for messages."""
        return self._file.name

    def read(self) -> MatLike:
        """The next wanted frame; valid until the next but one is read."""
        number = next(self._numbers)
        while self._grabbed <= number:
            if self._stopped():
                raise Cancelled
            if not self._reader.grab():
                raise self._end()
            self._grabbed += 1
        self._buffers.reverse()
        got, frame = self._reader.retrieve(self._buffers[0])
        if not got:
            raise CorruptVideo(f"Frame {number} of {self._file.name} cannot be read.", AGAIN)
        self._buffers[0] = frame
        return frame

    def _end(self) -> VideoError:
        """Why no frame comes any more."""
        # Many builds open AV1 without being able to decode it.
        if self._grabbed == 0 and codec(self._reader) == "av01":
            return UnsupportedVideo(
                f"{self.name} is AV1 video, which this OpenCV cannot decode.", "Convert it to H.264."
            )
        return CorruptVideo(f"{self.name} breaks off after {self._grabbed} frames.", AGAIN)

    def _seek(self, number: int) -> None:
        import cv2

        if self._reader.set(cv2.CAP_PROP_POS_FRAMES, number) and self._reader.get(cv2.CAP_PROP_POS_FRAMES) == number:
            self._grabbed = number
        else:
            self._reader.set(cv2.CAP_PROP_POS_FRAMES, 0)


def _fill(source: _Source, count: int, progress: Callable[[int, int], object]) -> torch.Tensor:
    """Convert frame after frame into the tensor while the next one is being decoded."""
    import cv2
    import numpy as np
    import torch

    with ThreadPoolExecutor(1, "seedance-decode-ahead") as ahead:
        coming: Future[MatLike] = ahead.submit(source.read)
        # The first frame's size counts: the header may say another, and knows nothing of rotation.
        shape = coming.result().shape
        need = count * math.prod(shape) * 4
        check_memory(need, count)
        # torch.empty rather than np.empty, which asks for huge pages that are slow to touch first.
        try:
            images = torch.empty((count, *shape), dtype=torch.float32)
        except RuntimeError as error:
            # The system has less to give than it said.
            raise not_enough(need, count, left=0) from error
        frames: NDArray[np.float32] = images.numpy()
        rgb = np.empty(shape, np.uint8)
        to_float = (np.arange(256, dtype=np.float32) / np.float32(255)).reshape(1, 256)
        with prefault(images):
            for done in range(count):
                bgr = coming.result()
                if done + 1 < count:
                    coming = ahead.submit(source.read)
                if bgr.shape != shape:
                    raise CorruptVideo(
                        f"The size of the picture changes at frame {done} of {source.name}.", "Use another file."
                    )
                cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=rgb)
                cv2.LUT(rgb, to_float, dst=frames[done])
                progress(done + 1, count)
    return images
