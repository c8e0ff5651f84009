"""What the two nodes that bring videos do: get the video, decode it, and show the user how it goes.

Imported when a node runs, not when ComfyUI starts.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from comfy_api.latest import io

from . import host
from .generation.clock import SystemClock
from .generation.errors import GenerationError, Stopped
from .generation.events import Decoding, Done, Downloading, Event, Notice
from .generation.means import Video
from .generation.watch import StopSeen, Watch
from .runcomfy.errors import RunComfyError
from .runcomfy.request import REHEARSAL, GenerationRequest, Options, hint_about_text, is_request_id
from .video.decode import ALL, Clip, Selection, decode
from .video.errors import VideoError
from .wiring import Folders, fetch_job, fetch_link, live_generator, rehearsal_generator, workers

OUTPUTS: Final = 6
FAILURES: Final = (RunComfyError, GenerationError, VideoError)
"""Everything by which one video may fail; all else is a defect, and never skipped."""

_log = logging.getLogger("seedance")


async def generate(text: str, options: Options | None, *, mode: str, reuse: bool, skip: bool) -> io.NodeOutput:
    """The six outputs for one video.

    Raises what `Generator.generate` and `decode` do, or an interruption. With ``skip`` a failure blocks the outputs
    instead, so that only what follows from this video is left out.
    """

    async def video(show: Display, stop: host.StopButton) -> Video:
        request = GenerationRequest.of(text, options)
        if hint := hint_about_text(request.text):
            show(Notice(hint))
        generator = rehearsal_generator(_folders()) if mode == REHEARSAL else live_generator(_folders(), os.environ)
        return await generator.generate(request, events=show, stop=stop.pressed, reuse=reuse)

    try:
        return await _deliver(video, ALL)
    except FAILURES as error:
        if not skip:
            raise
        return io.NodeOutput(*[None] * OUTPUTS, block_execution=str(error))


async def load(file: Path | None, source: str, selection: Selection) -> io.NodeOutput:
    """The six outputs for a file of ComfyUI's, or for a request id or link instead of it."""

    async def video(show: Display, stop: host.StopButton) -> Video:
        if file:
            return Video(file.stem if file.parent == host.videos_folder().resolve() else "", (file,), reused=True)
        if is_request_id(source):
            return await fetch_job(source, _folders(), os.environ, events=show, stop=stop.pressed)
        return await fetch_link(source, _folders(), events=show, stop=stop.pressed)

    return await _deliver(video, selection)


class Display:
    """Shows events on the running node: the line always, the bar for what is measured."""

    def __init__(self) -> None:
        self._node = host.NodeProgress()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Notice):
            # The line is overwritten by the next one; what matters is in the log as well.
            _log.warning("Seedance: %s", event)
        self._node.line(str(event))
        if isinstance(event, Downloading) and event.total:
            self._node.bar(event.received, event.total)
        elif isinstance(event, Decoding):
            self._node.bar(event.done, event.total)


Bring = Callable[[Display, host.StopButton], Awaitable[Video]]


def _folders() -> Folders:
    return Folders(host.videos_folder(), host.private_folder())


async def _deliver(
    bring: Callable[[Display, host.StopButton], Awaitable[Video]], selection: Selection
) -> io.NodeOutput:
    """Get a video and decode its first file into the six outputs, with a preview of all its files."""
    show = Display()
    try:
        with host.StopButton() as stop:
            video = await bring(show, stop)
            clip = await _decode(video.files[0], show, stop, selection)
    except Stopped as stopped:
        show(Notice(stopped.outcome))
        raise host.interruption() from None
    except FAILURES as error:
        show(Notice(str(error)))
        raise
    frames, height, width, _ = clip.images.shape
    show(Done(video.elapsed, frames, width, height, clip.fps, video.cost, video.reused))
    file = video.files[0]
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
        return await watch.result(workers().decode(decode, file, selection, progress=progress, stopped=watch.is_over))
    except StopSeen:
        raise Stopped(f"Stopped while decoding. The video is on disk: {file}") from None
    except VideoError as error:
        # By now it is paid for.
        raise VideoError(error.what, f"{error.todo} Nothing is lost: the video is {file}.") from error
