"""A video file into one preallocated float32 tensor. One thread decodes, others convert what was decoded before."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import av
import torch

from .errors import CorruptVideo, breaks_off, unreadable
from .memory import allocate
from .picture import float_converter, orientation_of, to_rgb
from .probe import ALL, Selection, VideoInfo, read_timeline
from .reader import read_frames


@dataclass(frozen=True)
class Clip:
    """The selected frames of a video file."""

    images: torch.Tensor
    """float32 [frames, height, width, 3], RGB, 0..1, contiguous, on the CPU."""
    info: VideoInfo


def decode(
    file: Path,
    selection: Selection = ALL,
    *,
    progress: Callable[[int, int], object] = lambda *_: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Clip:
    """Read the selected frames of a video. Blocks; meant for a worker thread. Needs their memory and a few frames more.

    Args:
        progress: told the frames done and in all.
        is_cancelled: asked before every frame.

    Raises:
        UnsupportedVideo: it is none, or of a kind that is not read.
        CorruptVideo: it is incomplete.
        NothingSelected: the selection leaves no frame.
        NotEnoughMemory: the frames would not fit; nothing was allocated.
        StopRequested: ``is_cancelled`` said so.
    """
    timeline = read_timeline(file, selection, is_cancelled)
    wanted = timeline.wanted
    with closing(read_frames(file, wanted.start, timeline.times, is_cancelled)) as frames:
        images = _fill(file, islice(frames, 0, None, wanted.step), len(wanted), progress)
    _, height, width, _ = images.shape
    return Clip(images, timeline.info(width, height))


def _fill(
    file: Path, frames: Iterator[av.VideoFrame], count: int, progress: Callable[[int, int], object]
) -> torch.Tensor:
    """Decode the first ``count`` of the frames, and convert each into a tensor while the next ones are decoded."""
    first = next(frames, None)
    if first is None:
        raise unreadable(file)
    orientation, to_float = orientation_of(first), float_converter()
    # The first frame's size counts: the header may say another, and knows nothing of rotation.
    shape = to_rgb(first, orientation).shape
    images = allocate((count, *shape), file)
    out = images.numpy()

    def convert(number: int, frame: av.VideoFrame) -> None:
        picture = to_rgb(frame, orientation)
        if picture.shape != shape:
            raise CorruptVideo(
                f"The size of the picture changes at frame {number} of {file.name}.", "Use another file."
            )
        to_float(picture, out[number])

    workers = max(1, (os.cpu_count() or 1) // 2)
    with ThreadPoolExecutor(workers, "seedance-convert") as executor:
        pending: deque[Future[None]] = deque()
        done = 0
        for number, frame in enumerate(chain([first], islice(frames, count - 1))):
            pending.append(executor.submit(convert, number, frame))
            # One frame more than there are workers: as few are in memory as keep all busy.
            while pending and (len(pending) > workers or number + 1 == count):
                pending.popleft().result()
                done += 1
                progress(done, count)
    if done < count:
        raise breaks_off(file, done + len(pending))
    return images
