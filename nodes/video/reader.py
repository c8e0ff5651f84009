"""A video file opened by PyAV: the stream in it that is the video, its frames one by one, and their pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import PictureType
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from .errors import CorruptVideo, UnsupportedVideo
from .file_format import format_of

_STILL_CODECS: Final = ("mjpeg", "png", "bmp", "gif", "webp", "tiff")
"""Codecs of tracks that are mostly thumbnails if there is another track."""
_TAGS: Final[dict[str, Any]] = {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}
"""So that a tag with invalid text does no harm. From PyAV 19 on that is the default, and the option is gone."""
_MATRICES: Final = MappingProxyType({1: 1, 4: 4, 7: 7, 9: 9, 10: 9})
"""Colour matrices by their numbers in ITU-T H.273, as swscale numbers them: BT.709, FCC, SMPTE 240M, BT.2020."""


@contextmanager
def open_video(file: Path, *, quick: bool = False) -> Iterator[tuple[InputContainer, av.VideoStream]]:
    """A file and the stream in it that is the video, open as long as the `with` block lasts.

    With ``quick``, only packets can be read, and what is found out by decoding is not known of the stream.

    Raises:
        UnsupportedVideo: the file is of another format, or has nothing that could be decoded.
        CorruptVideo: it is shorter than it says, or FFmpeg failed inside the block.
    """
    name, options = format_of(file), {"skip_frame": "all"} if quick else {}
    try:
        # An absolute path, since FFmpeg takes what stands before a colon for a protocol.
        container = av.open(str(file.absolute()), format=name, options=options, **_TAGS)
    except av.FFmpegError:
        raise UnsupportedVideo("video.unsupported", name=file.name) from None
    with container:
        # A stream for which FFmpeg has no decoder has no codec context, whatever PyAV's types say.
        streams = [stream for stream in container.streams.video if getattr(stream, "codec_context", None)]
        if not streams:
            raise UnsupportedVideo("video.unsupported", name=file.name)
        try:
            yield container, min(streams, key=_by_likelihood)
        except av.FFmpegError:
            raise CorruptVideo("video.damaged", name=file.name) from None


def _by_likelihood(stream: av.VideoStream) -> tuple[bool, bool, bool]:
    """A sort key: the stream that is most likely the video comes first, then covers, stills and thumbnails."""
    cover = bool(stream.disposition & Disposition.attached_pic)
    return cover, stream.frames == 1, stream.codec_context.name in _STILL_CODECS


@contextmanager
def open_frames(
    file: Path, number: int = 0, times: Sequence[int] = (), check_stop: Callable[[], None] = lambda: None
) -> Iterator[tuple[av.VideoStream, av.VideoFrame, Iterator[av.VideoFrame]]]:
    """The video stream, its frame ``number``, and an iterator over that frame and all later ones in the order in which
    they are shown, for use inside the `with` block. Only a few frames are in memory at a time.

    ``times`` are when the first so many frames are shown, in ticks of the stream; with it later ones are sought.
    ``check_stop`` is called before every packet and every frame. Raises what it does, `CorruptVideo`, and
    `UnsupportedVideo`, also where there is no such frame.
    """
    if 0 < number < len(times):
        with open_video(file) as (container, stream):
            container.seek(times[number], stream=stream)
            frames = _decode(container, stream, check_stop)
            key_frame = next(frames, None)
            # Some key frames are complete only after later ones have been decoded.
            if key_frame is not None and key_frame.pict_type == PictureType.I:
                later = (each for each in chain([key_frame], frames) if each.pts is None or each.pts >= times[number])
                found = next(later, None)
                if found is not None and found.pts == times[number]:
                    yield stream, found, chain([found], frames)
                    return
    with open_video(file) as (container, stream):
        frames = islice(_decode(container, stream, check_stop), number, None)
        first = next(frames, None)
        if first is None:
            raise UnsupportedVideo("video.unsupported", name=file.name)
        yield stream, first, chain([first], frames)


def _decode(
    container: InputContainer, stream: av.VideoStream, check_stop: Callable[[], None]
) -> Iterator[av.VideoFrame]:
    stream.thread_type = "AUTO"
    for packet in container.demux(stream):
        check_stop()
        for frame in packet.decode():
            check_stop()
            yield frame


class Orientation(NamedTuple):
    """How the frames of a video are to be shown."""

    is_turned: bool
    """Rows become columns; `down` and `right` apply after that."""
    down: int
    right: int
    """-1 if the last row, or column, is to be shown first, else 1."""


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """The orientation of a video by one of its frames, in quarter turns; other angles count as none.

    Asking every frame would cost memory: PyAV's side data keep their frame alive until the next garbage collection.
    """
    try:
        matrix = memoryview(frame.side_data["DISPLAYMATRIX"])  # type: ignore[typeddict-item]  # PyAV's types know one kind
    except KeyError:
        return Orientation(False, 1, 1)
    # A pixel at (x, y) is to be shown at (a x + c y, b x + d y): ISO/IEC 14496-12, 8.3.2.
    a, b, _, c, d, *_ = np.sign(np.frombuffer(matrix, np.int32)).tolist()
    if not b and not c:
        return Orientation(False, d or 1, a or 1)
    return Orientation(True, b, c) if not a and not d else Orientation(False, 1, 1)


def to_rgb(frame: av.VideoFrame, orientation: Orientation) -> NDArray[np.uint8]:
    """A frame as [height, width, 3], RGB, upright. Stays valid without the frame; not always contiguous."""
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    marks_matter = frame.interlaced_frame or frame.format.components[0].bits > 8
    matrix = _MATRICES.get(int(frame.colorspace), Colorspace.ITU601)
    rgb = (_without_marks(frame) if marks_matter else frame).reformat(
        format="rgb24",
        interpolation=Interpolation.BICUBIC,
        # All is stated explicitly: the defaults differ between PyAV's versions, and some are wrong.
        src_colorspace=matrix,
        # RGB has no matrix; but if both are the same, PyAV 14 ignores the ranges.
        dst_colorspace=Colorspace.ITU709 if matrix == Colorspace.ITU601 else Colorspace.ITU601,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    )
    picture = _rows(rgb.planes[0])[:, : rgb.width * 3].reshape(rgb.height, rgb.width, 3)
    if orientation.is_turned:
        picture = picture.transpose(1, 0, 2)
    return picture[:: orientation.down, :: orientation.right]


def _without_marks(frame: av.VideoFrame) -> av.VideoFrame:
    """The same picture without two marks that PyAV from 17 on converts wrongly: interlaced, which blurs colours across
    every other line, and the place of colour samples, which shifts colours of more than eight bits."""
    plain = av.VideoFrame(frame.width, frame.height, frame.format.name)
    plain.colorspace = frame.colorspace  # which PyAV 17 goes by, whatever `reformat` is given
    for target, source in zip(plain.planes, frame.planes, strict=True):
        size = min(target.line_size, source.line_size)
        _rows(target)[:, :size] = _rows(source)[:, :size]
    return plain


def _rows(plane: VideoPlane) -> NDArray[np.uint8]:
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)


def write_rgb(
    frame: av.VideoFrame, orientation: Orientation, out: NDArray[np.floating], file: Path, number: int
) -> None:
    """Write a frame into ``out`` as `to_rgb` does, but 0..1, rounded once. Raises `UnsupportedVideo` for another
    size."""
    picture = to_rgb(frame, orientation)
    if picture.shape != out.shape:
        raise UnsupportedVideo("video.sizeChanges", name=file.name, frame=number)
    np.divide(picture, np.float32(255), out=out, casting="same_kind")
