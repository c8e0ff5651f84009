"""Everything that is ComfyUI: folders, progress, interruption, VIDEO, preview. The only room that imports it, the node
files' base classes aside."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

import comfy.model_management
import folder_paths
from comfy_api.latest import InputImpl, io, ui
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
    async def _watch_all(cls) -> None:
        while cls._watched:
            for button in tuple(cls._watched):
                button.pressed()
            await asyncio.sleep(STOP_INTERVAL)


def interruption() -> BaseException:
    """What to raise so that ComfyUI shows an interruption rather than an error."""
    stopped: BaseException = comfy.model_management.InterruptProcessingException()
    return stopped


class NodeProgress:
    """The line and the bar of the node that is running; may be used from any thread."""

    def __init__(self) -> None:
        context = get_executing_context()
        self._node = context.node_id if context else None
        self._item = f"[{context.list_index + 1}] " if context and context.list_index else ""

    def line(self, text: str) -> None:
        """Show a line of text on the node."""
        if self._node is not None:
            PromptServer.instance.send_progress_text(self._item + text, self._node)

    def bar(self, value: int, total: int) -> None:
        """Show how much of what can be measured is done."""
        # Not comfy.utils.ProgressBar: it raises, and clears, a pending interruption from whatever calls it.
        if self._node is not None:
            get_progress_state().update_progress(self._node, value, total, None)


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
    made = sorted(_video_files(videos), key=lambda file: file.stat().st_mtime, reverse=True)
    return [
        *(f"{VIDEO_FOLDER}/{file.name} [output]" for file in made),
        *sorted(file.name for file in _video_files(uploads)),
    ]


def find_video(choice: str) -> Path | None:
    """The file behind a choice, if it is one inside ComfyUI's folders, symbolic links resolved."""
    name, root = folder_paths.annotated_filepath(choice)
    folder = Path(root or folder_paths.get_input_directory()).resolve()
    try:
        file = (folder / name).resolve()
        return file if file.is_relative_to(folder) and file.is_file() else None
    except (OSError, ValueError):
        return None


def _video_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    files = (file for file in folder.iterdir() if file.suffix.lower() in _VIDEO_ENDINGS)
    return [file for file in files if not file.name.startswith(".") and file.is_file()]
