"""What a node that brings a video does when it runs: get the video, decode it, and show the user how it goes.

Imported when a node runs, not when ComfyUI starts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import comfy.model_management
import torch
from comfy.model_management import InterruptProcessingException
from comfy_api.latest import InputImpl, io
from comfy_execution.graph import ExecutionBlocker

from ..errors import Charge, SeedanceError, StopRequested
from ..jobs import events
from ..jobs.errors import JobError, OutcomeUnknown, Stopped
from ..jobs.events import StopOutcome
from ..jobs.job import Video
from ..jobs.waiting import Run
from ..runcomfy.request import GenerationRequest, Options, is_request_id, text_hint
from ..texts import Text
from ..video.decode import decode
from ..video.errors import VideoError
from ..video.file_format import metadata_box
from ..video.probe import ALL_FRAMES, Selection, VideoInfo, probe
from .node import running_node, shared, video_outputs
from .videos import preview

NAME_LETTERS: Final = 40
"""Of a text, to name an item of a list in messages."""

_log = logging.getLogger("seedance")


async def generate(text: str, options: Options | None, *, rehearsal: bool, reuse: bool, skip: bool) -> io.NodeOutput:
    """The six outputs for one video.

    Raises what `Engine.generate` and `decode` do, or an interruption. With ``skip`` a failure blocks the outputs
    instead, so that only what follows from this video is left out.
    """
    beginning = " ".join(str(text).split())[:NAME_LETTERS]
    quoted = beginning and f'"{beginning}"'
    # Anything but Options is refused below.
    names = (Text("list.seed", seed=options.seed), quoted) if isinstance(options, Options) else (quoted,)
    node = running_node()
    # Not if another node has added this one, as loops do: ComfyUI would cache that the video is missing.
    skip = skip and node.is_in_prompt
    try:
        with node_run(names, is_read=not skip, trailer=partial(metadata_box, node.saved_metadata)) as run:
            request = GenerationRequest.of(text, options)
            if hint := text_hint(request.text):
                run.report(events.notice(hint))
            video = await shared().engine.generate(request, rehearsal=rehearsal, reuse=reuse, run=run)
            try:
                return await _outputs(video, ALL_FRAMES, run)
            except VideoError as error:
                if rehearsal or video.reused:
                    raise
                # It was just paid for and is on disk; the reason has an advice of its own.
                raise JobError(
                    "videoUnusable",
                    error.advice,
                    charge=Charge.CHARGED,
                    request_id=video.request_id,
                    problem=error.message,
                ) from error
    except SeedanceError as error:
        if not skip:
            raise
        _log.warning("Seedance: a video of the list is left out. %s", error)
        shared().skipped[node.node_id] += 1
        node.send_left_out(error.texts, urgent=isinstance(error, OutcomeUnknown))
        # No message: with one, the browser would report the whole prompt as failed although it goes on.
        return io.NodeOutput(*(ExecutionBlocker(None) for _ in video_outputs()))


async def load(wanted: Path | str, selection: Selection) -> io.NodeOutput:
    """The six outputs for a file of ComfyUI's, a request id or a link. Raises as `generate` does."""
    engine = shared().engine
    with node_run() as run:
        if isinstance(wanted, Path):
            video = engine.load_file(wanted)
        elif is_request_id(wanted):
            video = await engine.fetch_job(wanted, run)
        else:
            video = await engine.fetch_link(wanted, run)
        return await _outputs(video, selection, run)


@contextmanager
def node_run(
    names: tuple[str, ...] = (), *, is_read: bool = True, trailer: Callable[[], bytes] = bytes
) -> Iterator[Run]:
    """A run of the node that runs, as long as the block lasts: its events, its failure and Stop are shown on the node.

    Turns `Stopped` into ComfyUI's interruption. For ``names`` see `BatchProgress.add`, for the others `Run`.
    """
    node = running_node()
    show = shared().batch(node).add(node.item, names)
    try:
        with shared().stops.watching() as stop:
            yield Run(node.run_key, node.prompt_id, show, stop.is_set, is_read, trailer)
    except Stopped as stopped:
        show(stopped.report)
        raise InterruptProcessingException from None
    except SeedanceError as error:
        show(events.failed(error.texts, urgent=isinstance(error, OutcomeUnknown)))
        raise


async def _outputs(video: Video, selection: Selection, run: Run) -> io.NodeOutput:
    file, is_decoded = video.files[0], running_node().is_images_connected

    def progress(done: int, total: int) -> None:
        run.report(events.decoding(done, total))

    def read() -> tuple[torch.Tensor | None, VideoInfo]:
        if not is_decoded:
            return None, probe(file, run.check, selection)
        clip = decode(file, selection, dtype=intermediate_dtype(), progress=progress, check_stop=run.check)
        return clip.images.to(intermediate_device()), clip.info

    try:
        images, info = await run.wait_for(shared().engine.executors.decodes.submit(read))
    except StopRequested:
        report = events.stopped(Text("stoppedDecoding", file=str(file)), StopOutcome.FINISHED)
        raise Stopped(report) from None
    if info.notice:
        run.report(events.notice(info.notice))
    size = (info.frames, info.width, info.height)
    run.report(events.done(video.elapsed, *size, info.fps, video.cost, reused=video.reused, price=video.price))
    outputs = (images, InputImpl.VideoFromFile(str(file)), info.fps, info.frames, video.request_id, str(file))
    return io.NodeOutput(*outputs, ui=preview(video.files))


def intermediate_dtype() -> torch.dtype:
    """Of the images that nodes hand to each other: float16 with --fp16-intermediates, which newer ComfyUIs have."""
    ask = getattr(comfy.model_management, "intermediate_dtype", lambda: torch.float32)
    dtype: torch.dtype = ask()
    return dtype


def intermediate_device() -> torch.device:
    """Where those images are kept: on the graphics card with --gpu-only."""
    return torch.device(comfy.model_management.intermediate_device())
