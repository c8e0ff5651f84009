"""A video file opened by PyAV, and its frames, decoded one by one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import PictureType

from ..errors import StopRequested
from .errors import AGAIN, CorruptVideo, unreadable
from .file_format import format_of

_STILLS: Final = ("mjpeg", "png", "bmp", "gif", "webp", "tiff")
"""Codecs of tracks that are mostly thumbnails, where there is another track beside them."""

Frames = Generator[av.VideoFrame, None, None]


@contextmanager
def open_video(file: Path) -> Iterator[tuple[InputContainer, av.VideoStream]]:
    """A file and the stream in it that is the video, open as long as the `with` block lasts.

    Raises:
        UnsupportedVideo: the file is of another format, or has nothing that could be decoded.
        CorruptVideo: it is shorter than it says, or FFmpeg failed inside the block.
    """
    name = format_of(file)
    try:
        # An absolute path, since FFmpeg takes what stands before a colon for a protocol.
        container = av.open(str(file.absolute()), format=name, metadata_errors="replace")
    except av.FFmpegError:
        raise unreadable(file) from None
    with container:
        # A stream for which FFmpeg has no decoder has no codec context, whatever PyAV's types say.
        streams = [stream for stream in container.streams.video if getattr(stream, "codec_context", None)]
        if not streams:
            raise unreadable(file)
        try:
            yield container, min(streams, key=_strangeness)
        except av.FFmpegError:
            raise CorruptVideo(
                f"The pictures of {file.name} are damaged, or coded in a way that this node does not know.", AGAIN
            ) from None


def _strangeness(stream: av.VideoStream) -> tuple[bool, bool, bool]:
    """The least is the video; others are covers, stills and thumbnails."""
    cover = bool(stream.disposition & Disposition.attached_pic)
    return cover, stream.frames == 1, stream.codec_context.name in _STILLS


def read_frames(
    file: Path, first: int = 0, times: Sequence[int] = (), is_cancelled: Callable[[], bool] = lambda: False
) -> Frames:
    """The frames from number ``first`` on, in the order in which they are shown. Only a few are in memory at a time.

    Args:
        times: when the first so many frames are shown, in ticks of the stream; with it later ones are sought.
        is_cancelled: asked before every packet and every frame.

    Raises:
        UnsupportedVideo, CorruptVideo: the file cannot be read.
        StopRequested: ``is_cancelled`` said so.
    """
    if 0 < first < len(times):
        due = times[first]
        frames = _decode(file, is_cancelled, due)
        begin = next(frames, None)
        # Some key frames are whole only when others have been decoded behind them.
        if begin is not None and begin.pict_type == PictureType.I:
            found = next((frame for frame in chain([begin], frames) if frame.pts is None or frame.pts >= due), None)
            if found is not None and found.pts == due:
                yield found
                yield from frames
                return
        frames.close()
    yield from islice(_decode(file, is_cancelled), first, None)


def _decode(file: Path, is_cancelled: Callable[[], bool], due: int | None = None) -> Frames:
    """All frames, or those from the last key frame on that is stored in front of one that is ``due`` then."""
    with open_video(file) as (container, stream):
        stream.thread_type = "AUTO"
        if due is not None:
            container.seek(due, stream=stream)
        for packet in container.demux(stream):
            if is_cancelled():
                raise StopRequested
            for frame in packet.decode():
                if is_cancelled():
                    raise StopRequested
                yield frame
