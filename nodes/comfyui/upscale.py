"""What the node that upscales does: a few frames at a time through core's own node, and into a file.

Imported when a node runs, not when ComfyUI starts.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

import folder_paths
import torch
from comfy.model_management import InterruptProcessingException
from comfy_api.latest import InputImpl, io
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import CurrentNodeContext
from comfy_extras.nodes_upscale_model import ImageUpscaleWithModel
from spandrel import ImageModelDescriptor

from ..errors import StopRequested
from ..jobs import events
from ..jobs.errors import Stopped
from ..jobs.waiting import Run
from ..texts import Text
from ..video.decode import SPARE_MEMORY, FileFrames, FrameSource, TensorFrames, available_memory
from ..video.encode import Format, VideoWriter, finished_frames, remove_unfinished, to_pictures
from ..video.errors import VideoError, cannot_open
from .execute import intermediate_device, intermediate_dtype, node_run
from .node import running_node, shared
from .videos import preview

FRAME_COPIES: Final = 5
"""Of each upscaled frame in memory at a time: ComfyUI's node makes some, and one is being encoded."""
MAX_BATCH_MEMORY: Final = 256 * 1024 * 1024
"""Bytes for all copies of frames upscaled together. ComfyUI's node takes them one by one, so more gains nothing."""
ENCODER_FRAMES: Final = 40
"""Frames that the encoder keeps, in yuv420p, with those that are being converted for it. Measured at 3840x2176; at
1920x1088 it is 47, at 5760x3264 it is 35."""
MAX_SOURCE_NAME: Final = 143 - len(".16384x16384.01234567.mp4")
"""Bytes of the source's name in the result's, which then has 143 at most, as an encrypted folder of a network drive
takes. A longer one loses its beginning: the id of the job is at its end."""


async def upscale(video: Any, model: Any, scale_by: float, frames_at_once: int, crf: int) -> io.NodeOutput:
    """The outputs of the node for any VIDEO and UPSCALE_MODEL. ``scale_by`` and ``frames_at_once`` of 0 are automatic.

    Raises `SeedanceError` or an interruption; nothing unfinished is left then.
    """
    if not isinstance(model, ImageModelDescriptor) or not model.input_channels == model.output_channels == 3:
        raise VideoError("upscale.model")
    with node_run() as run:
        try:
            # One at a time, however long a list is: each takes the memory of an encoder.
            async with shared().upscaling:
                begun = time.monotonic()
                with _video_file(video) as file, ThreadPoolExecutor(1, "seedance-read") as reader:
                    source = await run.wait_for(reader.submit(_frame_source, video, file, run))
                    wanted = _format(source, model.scale, scale_by, crf)
                    key = await run.wait_for(reader.submit(_key, source, model, wanted))
                    target = _target(source, wanted, key)
                    frames = found = await run.wait_for(reader.submit(finished_frames, target, key))
                    if not found:
                        size = _batch_size(source, model.scale, wanted, frames_at_once)
                        remove_unfinished(target.parent)
                        writer = VideoWriter(target, wanted, key)
                        frames = await _write(source, model, size, writer, reader, run)
        except (StopRequested, InterruptProcessingException):
            raise Stopped(events.stopped(Text("stoppedUpscaling"))) from None
        except FileNotFoundError as error:  # raised when ComfyUI opens the file
            raise cannot_open(Path(str(error.filename)), error) from None
        elapsed, rate = time.monotonic() - begun, float(wanted.rate)
        run.report(events.done(elapsed, frames, wanted.width, wanted.height, rate, reused=bool(found)))
    return io.NodeOutput(InputImpl.VideoFromFile(str(target)), str(target), frames, ui=preview((target,)))


async def _write(
    source: FrameSource,
    model: ImageModelDescriptor,
    size: int,
    writer: VideoWriter,
    reader: ThreadPoolExecutor,
    run: Run,
) -> int:
    """Upscale all frames, ``size`` at a time, while the next ones are read and those before are written; how many.

    Core's node runs on ComfyUI's own thread, as it always does: two nodes at a time must not move models about.
    """
    batches, done, begun = source.batches(size), 0, time.monotonic()
    run.report(events.upscaling(0, source.count, 0))
    with ThreadPoolExecutor(1, "seedance-encode") as encoder:
        try:
            reading = reader.submit(next, batches, None)
            writing = encoder.submit(source.add_sound, writer)
            while batch := await run.wait_for(reading):
                images, times = batch
                reading = reader.submit(next, batches, None)
                pictures = to_pictures(_through_core(model, images))
                await run.wait_for(writing)
                writing = encoder.submit(writer.write, pictures, times)
                done += len(times)
                run.report(events.upscaling(done, max(done, source.count), time.monotonic() - begun))
            await run.wait_for(writing)
            await run.wait_for(encoder.submit(writer.finish))
        finally:
            get_progress_state().finish_progress(_progress_id())
            reader.submit(batches.close)
            encoder.submit(writer.discard)
    return done


def _through_core(model: ImageModelDescriptor, images: torch.Tensor) -> torch.Tensor:
    """A few frames through ComfyUI's own node, with its tiling, its devices and its handling of full memory."""
    # Under another id than this node's: its progress bar is about these frames only. Raises if Stop is pressed, too.
    with CurrentNodeContext(running_node().prompt_id, _progress_id()):
        images = images.to(intermediate_device(), intermediate_dtype())
        (upscaled,) = ImageUpscaleWithModel.execute(upscale_model=model, image=images).args
    return cast(torch.Tensor, upscaled)


def _progress_id() -> str:
    return f"{running_node().node_id}.part"


@contextmanager
def _video_file(video: Any) -> Iterator[Path | None]:
    """The file of a VIDEO; None for one that is frames in memory."""
    source = video.get_stream_source() if isinstance(video, InputImpl.VideoFromFile) else None
    if source is None or isinstance(source, str):
        yield Path(source) if source else None
        return
    temporary = Path(folder_paths.get_temp_directory())
    temporary.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=temporary, ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "video.mp4"
        file.write_bytes(source.getbuffer())
        yield file


def _frame_source(video: Any, file: Path | None, run: Run) -> FrameSource:
    if file and (window := _window(video)):
        return FileFrames(file, window, run.check)
    held = video.get_components()
    sound = (held.audio["waveform"][0], int(held.audio["sample_rate"])) if held.audio else None
    return TensorFrames(held.images, Fraction(held.frame_rate), sound)


def _window(video: Any) -> tuple[float, float] | None:
    """Where the part of a file that is shown begins, and how long it is, in seconds; 0 for all, None if unknown."""
    if hasattr(video, "get_active_trim_window"):
        start, duration = video.get_active_trim_window()
        return float(start), float(duration)
    whole = type(video)(video.get_stream_source())
    return (0, 0) if whole.get_duration() == video.get_duration() else None


def _format(source: FrameSource, factor: int, scale_by: float, crf: int) -> Format:
    scale = scale_by or factor
    # `scale_by` leads to the nearest even size; the model's own size is cut to an even one.
    width, height = (int(side * scale / 2 + (0.5 if scale_by else 0)) * 2 for side in (source.width, source.height))
    wanted = Format(width, height, source.rate, source.time_base, crf, source.pixel_aspect)
    if not wanted.is_possible:
        raise VideoError("upscale.size", width=wanted.width, height=wanted.height)
    return wanted


def _key(source: FrameSource, model: ImageModelDescriptor, wanted: Format) -> str:
    """A hash of source, model and settings; without `frames_at_once`, which does not change the result."""
    weights = hashlib.sha256()
    for name, tensor in sorted(model.model.state_dict().items()):
        weights.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        weights.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    made_of = (source.digest(), weights.hexdigest(), wanted, intermediate_dtype())
    return hashlib.sha256(repr(made_of).encode()).hexdigest()


def _target(source: FrameSource, wanted: Format, key: str) -> Path:
    name = os.fsencode(source.name)[-MAX_SOURCE_NAME:].decode(errors="ignore").lstrip(".")
    return shared().engine.folders.videos / f"{name}.{wanted.width}x{wanted.height}.{key[:8]}.mp4"


def _batch_size(source: FrameSource, factor: int, wanted: Format, frames_at_once: int) -> int:
    frame_memory = FRAME_COPIES * 3 * intermediate_dtype().itemsize * source.width * source.height * factor**2
    left = available_memory() - SPARE_MEMORY - ENCODER_FRAMES * wanted.width * wanted.height * 3 // 2
    size = min(frames_at_once or max(1, min(MAX_BATCH_MEMORY, left) // frame_memory), source.count)
    if size * frame_memory > left:
        gigabytes = [f"{max(0, memory) / 1e9:.1f}" for memory in (size * frame_memory, left)]
        raise VideoError("upscale.memory", frames=size, need=gigabytes[0], left=gigabytes[1])
    return size
