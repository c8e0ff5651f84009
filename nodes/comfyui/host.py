"""Everything that is ComfyUI: folders, progress, interruption, VIDEO, preview. The only room that imports it, the node
files' base classes aside."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, ClassVar, Final

import comfy.model_management
import folder_paths
from aiohttp import web
from comfy_api.latest import InputImpl, io, ui
from comfy_execution.graph import ExecutionBlocker
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context
from server import PromptServer

VIDEO_FOLDER: Final = "seedance"
STOP_INTERVAL: Final = 0.02
"""Seconds between two looks at Stop; a sampler takes longer for a step."""
_VIDEO_ENDINGS: Final = (".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi")


def videos_folder() -> Path:
    """Where finished videos go."""
    return Path(folder_paths.get_output_directory()) / VIDEO_FOLDER


def private_folder() -> Path:
    """Where token and journal are kept: a folder that ComfyUI never serves to a browser."""
    return Path(folder_paths.get_system_user_directory("seedance"))


class StopButton:
    """ComfyUI's Stop, for one run of a node. Once it was seen pressed it stays so; may be asked from any thread.

    ComfyUI has one flag, and whoever acts on it first clears it: a sampler that runs in between would hide Stop from
    the jobs that wait beside it. So it is watched from the server's event loop, which no node blocks.
    """

    _watched: ClassVar[set[StopButton]] = set()

    def __init__(self) -> None:
        self._seen = False

    def __enter__(self) -> StopButton:
        self._watched.add(self)
        if len(self._watched) == 1:
            asyncio.run_coroutine_threadsafe(self._watch_all(), PromptServer.instance.loop)
        return self

    def __exit__(self, *_: object) -> None:
        self._watched.discard(self)

    def pressed(self) -> bool:
        """Whether Stop was pressed during the run."""
        # Only peeks: clearing the flag would hide it from everybody else.
        if not self._seen and comfy.model_management.processing_interrupted():
            self._seen = True
        return self._seen

    @classmethod
    def poll(cls) -> None:
        """Let every run that goes on see whether Stop is pressed now."""
        for button in tuple(cls._watched):
            button.pressed()

    @classmethod
    async def _watch_all(cls) -> None:
        while cls._watched:
            cls.poll()
            await asyncio.sleep(STOP_INTERVAL)


def routes() -> web.RouteTableDef:
    """ComfyUI's routes, to which a pack adds its own while it is loaded."""
    table: web.RouteTableDef = PromptServer.instance.routes
    return table


def watch_stop() -> None:
    """Look at Stop as soon as ComfyUI is told: a node that asks often may take it away within a millisecond."""
    middlewares = PromptServer.instance.app.middlewares
    # A pack that is imported once more while the server runs comes too late; the watch sees Stop all the same.
    if not middlewares.frozen:
        middlewares.append(_see_stop)


@web.middleware
async def _see_stop(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    finally:
        if request.path.endswith("/interrupt"):
            StopButton.poll()


def interruption() -> BaseException:
    """What to raise so that ComfyUI shows an interruption rather than an error."""
    stopped: BaseException = comfy.model_management.InterruptProcessingException()
    return stopped


@dataclass(frozen=True)
class RunningNode:
    """The node that runs, in the graph that runs. Its methods may be called from any thread."""

    graph: str
    """The id of the queued graph."""
    node: str
    item: int
    """The place of what it works at in its list of inputs, from 0."""

    _left_out: ClassVar[Counter[str]] = Counter()
    """How many items of each node have come to nothing. It lives as long as the process: the next run asks for it."""

    def set_text(self, text: str) -> None:
        """Show a line of text on the node."""
        # Older web UIs take it for HTML, and all of them [[text|address]] for a link; prompts and services write it.
        plain = re.sub(r"\[(?=\[)", "[ ", text.replace("<", "‹"))
        PromptServer.instance.send_progress_text(plain, self.node, PromptServer.instance.client_id)

    def set_progress(self, value: int, total: int) -> None:
        """Show how much of what can be measured is done."""
        # Not comfy.utils.ProgressBar: it raises, and clears, a pending interruption from whatever calls it.
        get_progress_state().update_progress(self.node, value, total, None)

    @property
    def skipped_count(self) -> int:
        """How many items of this node have come to nothing so far."""
        return self._left_out[self.node]

    def left_out(self, reason: str, *, urgent: bool) -> None:
        """Tell the browser that queued the graph that this item came to nothing, while the others go on."""
        self._left_out[self.node] += 1
        told = {"prompt_id": self.graph, "node": self.node, "item": self.item, "reason": reason, "urgent": urgent}
        PromptServer.instance.send_sync("seedance.left_out", told, PromptServer.instance.client_id)

    @property
    def is_in_prompt(self) -> bool:
        """Whether the node is in the graph as it was queued; else another node has added it while it ran."""
        return self.node in (_running_graph(self.graph) or {})

    def uses_output(self, number: int) -> bool:
        """Whether any node of the graph takes this output; yes where that cannot be known."""
        graph = _running_graph(self.graph)
        if graph is None or self.node not in graph:
            # A node that another one added while it ran.
            return True
        links = (value for node in graph.values() for value in node["inputs"].values())
        return any(link == [self.node, number] for link in links)


def running_node() -> RunningNode | None:
    """The node that this is called from; None outside of a queued graph."""
    context = get_executing_context()
    return RunningNode(context.prompt_id, context.node_id, context.list_index or 0) if context else None


def _running_graph(graph_id: str) -> dict[str, dict[str, Any]] | None:
    running, _ = PromptServer.instance.prompt_queue.get_current_queue_volatile()
    return next((entry[2] for entry in running if entry[1] == graph_id), None)


def blocked_output() -> ExecutionBlocker:
    """What to hand out where there is nothing, so that ComfyUI leaves out whatever would take it.

    Without a message: with one, the browser reports the whole graph as failed while it goes on.
    """
    return ExecutionBlocker(None)


def video_input(file: Path) -> InputImpl.VideoFromFile:
    """A native VIDEO that reads the file when it is needed."""
    return InputImpl.VideoFromFile(str(file))


def preview(files: tuple[Path, ...]) -> ui.PreviewVideo:
    """The files as players on the node, as far as they lie in a folder that ComfyUI serves."""
    return ui.PreviewVideo(list(_served(files)))


def _served(files: tuple[Path, ...]) -> Iterator[ui.SavedResult]:
    roots = {
        io.FolderType.output: folder_paths.get_output_directory(),
        io.FolderType.input: folder_paths.get_input_directory(),
        io.FolderType.temp: folder_paths.get_temp_directory(),
    }
    for file in files:
        for kind, root in roots.items():
            if file.resolve().is_relative_to(Path(root).resolve()):
                inside = file.resolve().relative_to(Path(root).resolve())
                yield ui.SavedResult(inside.name, "" if inside.parent == Path() else inside.parent.as_posix(), kind)
                break


def video_choices() -> list[str]:
    """The videos that can be loaded, newest Seedance videos first, as ComfyUI annotates file names."""
    videos, uploads = videos_folder(), Path(folder_paths.get_input_directory())
    made = sorted(_video_files(videos), key=_modified, reverse=True)
    return [
        *(f"{VIDEO_FOLDER}/{file.name} [output]" for file in made),
        *sorted(file.name for file in _video_files(uploads)),
    ]


def find_video(choice: object) -> Path | None:
    """The video behind a choice, whatever a workflow has put there, if it lies in one of ComfyUI's folders.

    Symbolic links are resolved. What does not end as a video's name is none: OpenCV would open a playlist, too.
    """
    if not isinstance(choice, str):
        return None
    name, root = folder_paths.annotated_filepath(choice)
    if not _stays_inside(PurePath(name)) or not name.lower().endswith(_VIDEO_ENDINGS):
        return None
    try:
        folder = Path(root or folder_paths.get_input_directory()).resolve()
        file = (folder / name).resolve()
        return file if file.is_relative_to(folder) and file.is_file() else None
    except (OSError, ValueError, RuntimeError):
        # A name that is too long, has a NUL in it, or leads in a circle.
        return None


def _stays_inside(name: PurePath) -> bool:
    """Whether a path leads down from wherever it starts. On Windows, merely to look at another machine's signs in."""
    return not (name.drive or name.root or ".." in name.parts)


def _video_files(folder: Path) -> list[Path]:
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in _VIDEO_ENDINGS]
        return [file for file in files if not file.name.startswith(".") and file.is_file()]
    except OSError:
        # Not there yet, or not readable: the list of nodes must come up all the same.
        return []


def _modified(file: Path) -> float:
    """When a file was changed, in seconds; 0 if it has just been deleted."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
