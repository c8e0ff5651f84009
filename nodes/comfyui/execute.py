"""What the two nodes that bring videos do: get the video, decode it, and show the user how it goes.

Imported when a node runs, not when ComfyUI starts.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from comfy.model_management import InterruptProcessingException
from comfy_api.latest import InputImpl, io
from comfy_execution.graph import ExecutionBlocker

from ..engine import LINK_PREFIX
from ..errors import SeedanceError, StopRequested
from ..jobs.cancellation import Cancellation
from ..jobs.clock import SystemClock
from ..jobs.errors import OutcomeUnknown, Stopped
from ..jobs.events import Decoding, Done, Failed, Notice, StopOutcome, StopReport
from ..jobs.run import Run
from ..jobs.services import Video
from ..runcomfy.request import GenerationRequest, Options, is_request_id, text_hint
from ..video.decode import decode
from ..video.probe import ALL, Selection, VideoInfo, probe
from .files import preview, videos_folder
from .prompt import queued_prompts, running_node
from .schema import video_outputs
from .shared import shared

if TYPE_CHECKING:
    import torch

NAME_LETTERS: Final = 40
"""Of a text, by which an item of a list is named."""

_log = logging.getLogger("seedance")


async def generate(text: str, options: Options | None, *, rehearsal: bool, reuse: bool, skip: bool) -> io.NodeOutput:
    """The six outputs for one video.

    Raises what `Engine.generate` and `decode` do, or an interruption. With ``skip`` a failure blocks the outputs
    instead, so that only what follows from this video is left out.
    """

    async def get_video(run: Run) -> Video:
        request = GenerationRequest.of(text, options)
        if hint := text_hint(request.text):
            run.report(Notice(hint))
        return await shared().engine.generate(request, rehearsal=rehearsal, reuse=reuse, run=run)

    begin = " ".join(str(text).split())[:NAME_LETTERS]
    text_begin = begin and f'"{begin}"'
    names = (f"seed {options.seed}", text_begin) if options else (text_begin,)
    node = running_node()
    # Not where another node has added this one, in a loop say: ComfyUI would keep what is missing in its cache.
    skip = skip and node.is_in_prompt
    try:
        return await _hand_out(get_video, ALL, names, is_read=not skip)
    except SeedanceError as error:
        if not skip:
            raise
        _log.warning("Seedance: a video of the list is left out. %s", error)
        shared().skipped[node.node_id] += 1
        node.send_left_out(str(error), urgent=isinstance(error, OutcomeUnknown))
        # Without a message: with one, the browser reports the whole prompt as failed while it goes on.
        return io.NodeOutput(*(ExecutionBlocker(None) for _ in video_outputs()))


async def load(file: Path | None, source: str, selection: Selection) -> io.NodeOutput:
    """The six outputs for a file of ComfyUI's, or for a request id or link instead of it."""

    async def get_video(run: Run) -> Video:
        if file:
            of_a_job = file.parent == videos_folder().resolve() and not file.name.startswith(LINK_PREFIX)
            return Video(file.stem if of_a_job else "", (file,), reused=True)
        if is_request_id(source):
            return await shared().engine.fetch_job(source, run)
        return await shared().engine.fetch_link(source, run)

    return await _hand_out(get_video, selection)


async def _hand_out(
    get_video: Callable[[Run], Awaitable[Video]],
    selection: Selection,
    names: tuple[str, ...] = (),
    *,
    is_read: bool = True,
) -> io.NodeOutput:
    """Get a video and decode its first file into the six outputs, with a preview of all its files."""
    node = running_node()
    show = shared().batch(node).add(node.item, names)
    try:
        with shared().stops.watching() as stop:
            run = Run(node.run_key, node.prompt_id, queued_prompts, show, stop.is_set, is_read)
            video = await get_video(run)
            images, info = await _read(video.files[0], run, selection)
    except Stopped as stopped:
        show(StopReport(str(stopped), stopped.outcome))
        raise InterruptProcessingException from None
    except SeedanceError as error:
        show(Failed(str(error), urgent=isinstance(error, OutcomeUnknown)))
        raise
    if info.notice:
        show(Notice(info.notice))
    size = (info.frames, info.width, info.height)
    show(Done(video.elapsed, *size, info.fps, video.cost, video.reused, video.price))
    file = video.files[0]
    outputs = (images, InputImpl.VideoFromFile(str(file)), info.fps, info.frames, video.request_id, str(file))
    return io.NodeOutput(*outputs, ui=preview(video.files))


async def _read(file: Path, run: Run, selection: Selection) -> tuple[torch.Tensor | None, VideoInfo]:
    """The frames of a file if the prompt takes them, and what it holds."""
    cancellation = Cancellation(SystemClock(), run.report, run.is_stopped)
    connected = running_node().is_images_connected

    def progress(done: int, total: int) -> None:
        cancellation.report(Decoding(done, total))

    def read() -> tuple[torch.Tensor | None, VideoInfo]:
        if not connected:
            return None, probe(file, cancellation.is_cancelled, selection)
        clip = decode(file, selection, progress=progress, is_cancelled=cancellation.is_cancelled)
        return clip.images, clip.info

    try:
        return await cancellation.wait_for(shared().engine.executors.decodes.submit(read))
    except StopRequested:
        raise Stopped(f"Stopped while decoding. The video is on disk: {file}.", StopOutcome.FINISHED) from None
