"""What a video file holds, found by walking through its packets; at most a few frames are decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import av

from ..texts import Text
from .errors import CorruptVideo, UnsupportedVideo, VideoError
from .reader import open_frames, open_video, orientation_of

DEFAULT_FPS: Final = 24.0
"""Seedance's rate, for a file that names none."""
_HDR: Final = (16, 18)
"""Transfer functions by their numbers in ITU-T H.273: PQ and HLG."""
_REORDERED: Final = 64
"""Packets by which a frame may be stored behind one that is shown after it; codecs allow 16."""
_CUT_AWAY: Final = 8
"""Frames that may be missing near the ends of a losslessly cut clip whose rate still counts as constant."""


@dataclass(frozen=True)
class Selection:
    skip_first_frames: int = 0
    frame_load_cap: int = 0
    """At most so many; 0 means all."""
    select_every_nth: int = 1

    def of(self, count: int) -> range:
        """The wanted ones of ``count`` frames, by number from 0."""
        wanted = range(self.skip_first_frames, count, self.select_every_nth)
        return wanted[: self.frame_load_cap] if self.frame_load_cap else wanted

    @property
    def frames_needed(self) -> int | None:
        """How many frames of a clip must be found to select from them; None for all."""
        last = self.skip_first_frames + (self.frame_load_cap - 1) * self.select_every_nth
        return last + 1 if self.frame_load_cap else None


ALL_FRAMES: Final = Selection()


@dataclass(frozen=True)
class VideoInfo:
    frames: int
    width: int
    """Pixels, as shown."""
    height: int
    fps: float
    """Frames per second for the selected frames: the file's average rate, divided by `select_every_nth`."""
    notice: str = ""
    """What the user should know about how the frames differ from what a player shows, as a sentence."""


@dataclass(frozen=True)
class Timeline:
    """The selected frames of a file that has been walked through."""

    wanted: range
    """The numbers of the selected frames; at least one."""
    times: tuple[int, ...]
    """When each frame from the first on is shown, in ticks of the stream; empty if frames cannot be sought by time."""
    span: tuple[int, int]
    """The number of frames, and the ticks from the first to the last; (0, 0) if it was not read to its end."""

    def info(self, stream: av.VideoStream, frame: av.VideoFrame) -> VideoInfo:
        """What the user is told, by the stream and one decoded frame. The frame's size counts: the stream may say
        another, and does not know of rotation."""
        size = (frame.width, frame.height)
        shown = (round(frame.width * (stream.sample_aspect_ratio or 1)), frame.height)
        if orientation_of(frame).is_turned:
            size, shown = size[::-1], shown[::-1]
        notice = Text("notices.hdr") if stream.codec_context.color_trc in _HDR else ""
        if shown != size:
            notice = Text("notices.pixelsNotSquare", shown="{}x{}".format(*shown), stored="{}x{}".format(*size))
        return VideoInfo(len(self.wanted), *size, _average_fps(stream, *self.span) / self.wanted.step, notice)


def probe(file: Path, check_stop: Callable[[], None] = lambda: None, selection: Selection = ALL_FRAMES) -> VideoInfo:
    """What `decode` would give, but only the first frame is decoded. Blocks. Raises as that does, except for memory."""
    timeline = read_timeline(file, selection, check_stop)
    with open_frames(file, check_stop=check_stop) as (stream, first, _):
        return timeline.info(stream, first)


def read_timeline(file: Path, selection: Selection, check_stop: Callable[[], None]) -> Timeline:
    """Count a file's frames by its packets, to the end or until all selected ones have certainly been found.

    Raises as `decode` does, except for too little memory. ``check_stop`` is called before every packet.
    """
    needed, is_whole = selection.frames_needed, False
    times, keys = list[int | None](), list[int | None]()
    leading = leading_end = 0
    with open_video(file, quick=True) as (container, stream):
        for number, packet in enumerate(container.demux(stream), 1):
            check_stop()
            if packet.is_corrupt:
                raise CorruptVideo("video.breaksOff", name=file.name, frames=len(times))
            if packet.is_keyframe:
                keys.append(packet.pts)
            if not packet.size or packet.is_discard:
                continue
            times.append(packet.pts)
            # Stored behind the first key frame but shown before it: it may need frames that were cut away.
            if len(keys) == 1 and not packet.is_keyframe and (packet.pts is None or packet.pts < (keys[0] or 0)):
                leading, leading_end = leading + 1, number
            if needed is not None and len(times) >= needed + _REORDERED:
                break
        else:
            is_whole = True
        known = sorted(time for time in times if time is not None)
        # AVI files hold no times; those that FFmpeg makes up change after seeking.
        seekable = len(set(known)) == len(times) and not leading and container.format.name != "avi"
    frames = len(times) - (_undecodable(file, leading_end) if leading else 0)
    if not frames:
        raise UnsupportedVideo("video.unsupported", name=file.name)
    if not (wanted := selection.of(frames)):
        raise VideoError("video.nothingSelected", name=file.name, frames=frames)
    span = (len(known), known[-1] - known[0]) if known and is_whole else (0, 0)
    return Timeline(wanted, tuple(known) if seekable else (), span)


def _undecodable(file: Path, packets: int) -> int:
    """How many of the first packets of a file yield no frame."""
    missing = 0
    with open_video(file) as (container, stream):
        for packet in islice(container.demux(stream), packets):
            missing += bool(packet.size and not packet.is_discard) - len(packet.decode())
        return missing - len(stream.codec_context.decode(None))


def _average_fps(stream: av.VideoStream, frames: int, ticks: int) -> float:
    """Frames per second on average: what the file says, unless its frames, which take so many ticks, last much longer.

    Matroska and AVI files name one rate although their frames come at a variable one.
    """
    said = float(stream.average_rate or stream.guessed_rate or DEFAULT_FPS)
    seconds = float(ticks * (stream.time_base or 0)) + 1 / said
    missing = seconds * said - frames
    return frames / seconds if frames and missing > max(_CUT_AWAY, 0.01 * frames) else said
