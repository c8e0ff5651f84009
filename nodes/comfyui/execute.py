"""What the two nodes that bring videos do: get the video, decode it, and show the user how it goes.

Imported when a node runs, not when ComfyUI starts.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from comfy_api.latest import io

from ..engine import FAILURES, Folders, executors, fetch_job, fetch_link, generator
from ..jobs.cancellation import Cancellation, StopRequested
from ..jobs.clock import SystemClock
from ..jobs.errors import OutcomeUnknown, Stopped
from ..jobs.events import Decoding, Done, Failed, Notice, StopReport
from ..jobs.services import Video
from ..jobs.stop_outcome import StopOutcome
from ..runcomfy.request import GenerationRequest, Options, is_request_id, text_hint
from ..video.decode import ALL, Selection, decode
from ..video.probe import VideoInfo, probe
from . import host
from .progress import Display
from .schema import is_images_connected, video_outputs

if TYPE_CHECKING:
    import torch

_log = logging.getLogger("seedance")


async def generate(text: str, options: Options | None, *, mode: str, reuse: bool, skip: bool) -> io.NodeOutput:
    """The six outputs for one video.

    Raises what `JobRunner.generate` and `decode` do, or an interruption. With ``skip`` a failure blocks the outputs
    instead, so that only what follows from this video is left out.
    """

    async def video(show: Display, stop: host.StopButton) -> Video:
        request = GenerationRequest.of(text, options)
        if hint := text_hint(request.text):
            show(Notice(hint))
        chosen = generator(mode, _folders(), os.environ)
        return await chosen.generate(request, events=show, stop=stop.pressed, reuse=reuse)

    try:
        return await _deliver(video, ALL)
    except FAILURES as error:
        node = host.running_node()
        # Where another node has added this one, in a loop say, ComfyUI would keep what is missing in its cache.
        if not skip or (node and not node.is_in_prompt):
            raise
        _log.warning("Seedance: a video of the list is left out. %s", error)
        if node:
            node.left_out(str(error), urgent=isinstance(error, OutcomeUnknown))
        return io.NodeOutput(*(host.blocked_output() for _ in video_outputs()))


async def load(file: Path | None, source: str, selection: Selection) -> io.NodeOutput:
    """The six outputs for a file of ComfyUI's, or for a request id or link instead of it."""

    async def video(show: Display, stop: host.StopButton) -> Video:
        if file:
            return Video(file.stem if file.parent == host.videos_folder().resolve() else "", (file,), reused=True)
        if is_request_id(source):
            return await fetch_job(source, _folders(), os.environ, events=show, stop=stop.pressed)
        return await fetch_link(source, _folders(), events=show, stop=stop.pressed)

    return await _deliver(video, selection)


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
            return await _outputs(video, show, stop, selection)
    except Stopped as stopped:
        show(StopReport(str(stopped), stopped.outcome))
        raise host.interruption() from None
    except FAILURES as error:
        show(Failed(str(error), urgent=isinstance(error, OutcomeUnknown)))
        raise


async def _outputs(video: Video, show: Display, stop: host.StopButton, selection: Selection) -> io.NodeOutput:
    file = video.files[0]
    images, info = await _read(file, show, stop, selection)
    if info.notice:
        show(Notice(info.notice))
    shown = (info.frames, info.width, info.height, info.fps)
    show(Done(video.elapsed, *shown, video.cost, video.reused, video.price))
    return io.NodeOutput(
        images,
        host.video_input(file),
        info.fps,
        info.frames,
        video.request_id,
        str(file),
        ui=host.preview(video.files),
    )


async def _read(
    file: Path, show: Display, stop: host.StopButton, selection: Selection
) -> tuple[torch.Tensor | None, VideoInfo]:
    """The frames of a file if the graph takes them, and what it holds."""
    cancellation = Cancellation(SystemClock(), show, stop.pressed)

    def progress(done: int, total: int) -> None:
        cancellation.report(Decoding(done, total))

    def read() -> tuple[torch.Tensor | None, VideoInfo]:
        if not used:
            return None, probe(file, cancellation.is_cancelled, selection)
        clip = decode(file, selection, progress=progress, is_cancelled=cancellation.is_cancelled)
        return clip.images, clip.info

    used = is_images_connected()
    try:
        return await cancellation.wait_for(executors().decode(read))
    except StopRequested:
        raise Stopped(f"Stopped while decoding. The video is on disk: {file}.", StopOutcome.FINISHED) from None
