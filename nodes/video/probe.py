"""What a video file holds, found by walking through its packets; at most a few frames are decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import av

from ..errors import StopRequested
from .errors import NothingSelected, breaks_off, unreadable
from .picture import orientation_of, to_rgb
from .reader import open_video, read_frames

UNTOLD_FPS: Final = 24.0
"""Seedance's rate, for a file that tells none."""
_REORDERED: Final = 64
"""Packets behind a frame's own among which an earlier frame may be; codecs allow 16."""
_CUT_AWAY: Final = 8
"""Frames that a cut without decoding may leave out near the ends of a clip; it is of a steady rate all the same."""


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

    @property
    def most(self) -> int | None:
        """How many frames a clip must have for all of this; None for all that it has."""
        last = self.skip_first_frames + (self.frame_load_cap - 1) * self.select_every_nth
        return last + 1 if self.frame_load_cap else None


ALL: Final = Selection()


@dataclass(frozen=True)
class VideoInfo:
    """The selected frames of a video file."""

    frames: int
    width: int
    """Pixels, as shown."""
    height: int
    fps: float
    """Frames per second at which the selected ones play at the right speed: the file's, on average, divided."""
    notice: str = ""
    """What the user should know about how the frames differ from what a player shows, as a sentence."""


@dataclass(frozen=True)
class Timeline:
    """The selected frames of a file that has been walked through."""

    wanted: range
    """Their numbers; at least one."""
    fps: float
    """As in `VideoInfo`."""
    pixel_aspect: float
    """How wide a pixel is shown, for a height of 1."""
    times: tuple[int, ...]
    """When each frame from the first on is shown, in ticks of the stream; empty where they cannot be sought by it."""

    def info(self, width: int, height: int) -> VideoInfo:
        """What the user is told, with the frames' size."""
        shown = round(width * self.pixel_aspect)
        notice = (
            f"The pixels of this video are not square: players show it as {shown}x{height}, and its frames are as "
            f"they are stored, {width}x{height}."
        )
        return VideoInfo(len(self.wanted), width, height, self.fps, "" if shown == width else notice)


def probe(file: Path, is_cancelled: Callable[[], bool] = lambda: False, selection: Selection = ALL) -> VideoInfo:
    """What `decode` would give, of which only the first frame is decoded. Blocks.

    Raises as `decode` does, save for `NotEnoughMemory`.
    """
    timeline = read_timeline(file, selection, is_cancelled)
    first = next(read_frames(file, is_cancelled=is_cancelled), None)
    if first is None:
        raise unreadable(file)
    height, width, _ = to_rgb(first, orientation_of(first)).shape
    return timeline.info(width, height)


def read_timeline(file: Path, selection: Selection, is_cancelled: Callable[[], bool]) -> Timeline:
    """Count the frames of a file by its packets, to its end or until it is sure to have what is selected.

    Raises:
        UnsupportedVideo, CorruptVideo: it cannot be read, or not to the end.
        NothingSelected: the selection leaves no frame.
        StopRequested: ``is_cancelled``, which is asked before every packet, said so.
    """
    most = selection.most
    times, keys = list[int | None](), list[int | None]()
    leading = leading_end = 0
    with open_video(file) as (container, stream):
        for number, packet in enumerate(container.demux(stream), 1):
            if is_cancelled():
                raise StopRequested
            if packet.is_corrupt:
                raise breaks_off(file, len(times))
            if packet.is_keyframe:
                keys.append(packet.pts)
            if not packet.size or packet.is_discard:
                continue
            times.append(packet.pts)
            # Shown before the first key frame although it is stored behind: it may refer to what was cut away.
            if len(keys) == 1 and not packet.is_keyframe and (packet.pts is None or packet.pts < (keys[0] or 0)):
                leading, leading_end = leading + 1, number
            if most is not None and len(times) >= most + _REORDERED:
                break
        else:
            most = None
        known = sorted(time for time in times if time is not None)
        fps = _rate(stream, known if most is None else [])
        aspect = float(stream.sample_aspect_ratio or 1)
        # AVI files hold no times; those that FFmpeg makes up change after seeking.
        seekable = len(set(known)) == len(times) and not leading and container.format.name != "avi"
    frames = len(times) - (_undecodable(file, leading_end) if leading else 0)
    if not frames:
        raise unreadable(file)
    if not (wanted := selection.of(frames)):
        raise NothingSelected(
            f"{file.name} has {frames} frames, and the frame controls leave none of them.", "Lower skip_first_frames."
        )
    return Timeline(wanted, fps / selection.select_every_nth, aspect, tuple(known) if seekable else ())


def _undecodable(file: Path, packets: int) -> int:
    """How many of the first packets of a file yield no frame."""
    left = 0
    with open_video(file) as (container, stream):
        for packet in islice(container.demux(stream), packets):
            left += bool(packet.size and not packet.is_discard) - len(packet.decode())
        return left - len(stream.codec_context.decode(None))


def _rate(stream: av.VideoStream, times: list[int]) -> float:
    """Frames per second on average: what the file says, unless its frames, by the ``times`` of all, last much longer.

    Matroska and AVI files name one rate although their frames come at a variable one.
    """
    said = float(stream.average_rate or stream.guessed_rate or UNTOLD_FPS)
    if not times or stream.time_base is None:
        return said
    seconds = float((times[-1] - times[0]) * stream.time_base) + 1 / said
    missing = seconds * said - len(times)
    return len(times) / seconds if missing > max(_CUT_AWAY, 0.01 * len(times)) else said
