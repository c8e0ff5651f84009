"""What the two nodes that bring videos have in common: their six outputs, and what the user sees meanwhile."""

from __future__ import annotations

import logging
from pathlib import Path

from comfy_api.latest import io

from . import host
from .generation.clock import SystemClock
from .generation.errors import Stopped
from .generation.events import Decoding, Done, Downloading, Event, Notice
from .generation.means import Video
from .generation.watch import StopSeen, Watch
from .video.decode import ALL, Clip, Selection, decode
from .wiring import Folders, workers

_log = logging.getLogger("seedance")


def outputs() -> list[io.Output]:
    """The outputs of both nodes, in their order; without ids, since `video` is an input of one of them too."""
    return [
        io.Image.Output(display_name="images", tooltip="All frames, for upscalers and every other image node."),
        io.Video.Output(display_name="video", tooltip="The file as it came, for Save Video."),
        io.Float.Output(display_name="fps", tooltip="Frames per second, for Create Video."),
        io.Int.Output(display_name="frame_count", tooltip="Number of frames in images."),
        io.String.Output(display_name="request_id", tooltip="RunComfy's id of the job; empty for other files."),
        io.String.Output(display_name="video_path", tooltip="Where the MP4 is on this machine."),
    ]


def folders() -> Folders:
    """ComfyUI's folders, as the engine knows them."""
    return Folders(host.videos_folder(), host.private_folder())


class Display:
    """Shows events on the running node: the line always, the bar for what is measured."""

    def __init__(self) -> None:
        self._node = host.NodeProgress()

    def __call__(self, event: Event) -> None:
        self._node.line(str(event))
        if isinstance(event, Downloading) and event.total:
            self._node.bar(event.received, event.total)
        elif isinstance(event, Decoding):
            self._node.bar(event.done, event.total)


def stopped(reason: Stopped, show: Display) -> BaseException:
    """Tell the user what became of the job. Returns what to raise."""
    _log.warning("Seedance: %s", reason.outcome)
    show(Notice(reason.outcome))
    return host.interruption()


async def deliver(video: Video, show: Display, stop: host.StopButton, selection: Selection = ALL) -> io.NodeOutput:
    """Decode a video's first file into the six outputs, with a preview of all of them.

    Raises:
        VideoError: it cannot be decoded.
        Stopped: the user pressed Stop.
    """
    file = video.files[0]
    clip = await _decode(file, show, stop, selection)
    frames, height, width, _ = clip.images.shape
    show(Done(video.elapsed, frames, width, height, clip.fps, video.cost, video.reused))
    return io.NodeOutput(
        clip.images,
        host.video_input(file),
        clip.fps,
        frames,
        video.request_id,
        str(file),
        ui=host.preview(video.files),
    )


async def _decode(file: Path, show: Display, stop: host.StopButton, selection: Selection) -> Clip:
    watch = Watch(SystemClock(), show, stop.pressed)

    def progress(done: int, total: int) -> None:
        watch.show(Decoding(done, total))

    try:
        return await watch.result(workers().decode(decode, file, selection, progress=progress, stopped=stop.pressed))
    except StopSeen:
        raise Stopped(f"Stopped while decoding. The video is on disk: {file}") from None
