"""A video file into one preallocated tensor. One thread decodes, others convert what was decoded before."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from .errors import AGAIN, CorruptVideo
from .memory import allocate
from .probe import ALL, Selection, VideoInfo, read_timeline
from .reader import open_frames, orientation_of, write_rgb


@dataclass(frozen=True)
class Clip:
    images: torch.Tensor
    """[frames, height, width, 3], RGB, 0..1, contiguous, on the CPU."""
    info: VideoInfo


def decode(
    file: Path,
    selection: Selection = ALL,
    *,
    dtype: torch.dtype = torch.float32,
    progress: Callable[[int, int], object] = lambda *_: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Clip:
    """Read the selected frames of a video. Blocks; meant for a worker thread. Needs their memory and a few frames more.

    ``progress`` is called with the frames done and in all, ``is_cancelled`` before every frame.

    Raises:
        UnsupportedVideo: it is none, or of a kind that is not read.
        CorruptVideo: it is incomplete.
        VideoError: the selection leaves no frame, or they would not fit into memory; nothing was allocated.
        StopRequested: ``is_cancelled`` said so.
    """
    timeline = read_timeline(file, selection, is_cancelled)
    wanted = timeline.wanted
    with open_frames(file, wanted.start, timeline.times, is_cancelled) as (stream, first, frames):
        info, orientation = timeline.info(stream, first), orientation_of(first)
        images = allocate((len(wanted), info.height, info.width, 3), file, dtype)
        out, done, workers = images.numpy(), 0, max(2, (os.cpu_count() or 1) // 2)
        with ThreadPoolExecutor(workers, "seedance-convert") as executor:
            pending = deque[Future[None]]()
            for number, frame in enumerate(islice(frames, 0, len(out) * wanted.step, wanted.step)):
                pending.append(executor.submit(write_rgb, frame, orientation, out[number], file, number))
                # One frame more than there are workers: as few are in memory as keep all busy.
                while len(pending) > workers or (pending and number + 1 == len(out)):
                    pending.popleft().result()
                    done += 1
                    progress(done, len(out))
        if done < len(out):
            raise CorruptVideo("video.breaksOff", AGAIN, name=file.name, frames=done + len(pending))
    return Clip(images, info)
