"""The files that ComfyUI lets this pack read, write and show."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path, PurePath
from typing import Final

import folder_paths
from comfy_api.latest import io, ui

VIDEO_FOLDER: Final = "seedance"
_VIDEO_ENDINGS: Final = (".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi")


def videos_folder() -> Path:
    """Where finished videos go."""
    return Path(folder_paths.get_output_directory()) / VIDEO_FOLDER


def private_folder() -> Path:
    """Where token and journal are kept: a folder that ComfyUI never serves to a browser."""
    return Path(folder_paths.get_system_user_directory("seedance"))


def preview(files: tuple[Path, ...]) -> ui.PreviewVideo:
    """The files as players on the node, as far as they lie in a folder that ComfyUI serves."""
    roots = {
        io.FolderType.output: Path(folder_paths.get_output_directory()).resolve(),
        io.FolderType.input: Path(folder_paths.get_input_directory()).resolve(),
        io.FolderType.temp: Path(folder_paths.get_temp_directory()).resolve(),
    }
    shown = []
    for file in map(Path.resolve, files):
        if kind := next((kind for kind, root in roots.items() if file.is_relative_to(root)), None):
            folder = file.parent.relative_to(roots[kind])
            shown.append(ui.SavedResult(file.name, "" if folder == Path() else folder.as_posix(), kind))
    return ui.PreviewVideo(shown)


def video_choices() -> list[str]:
    """The videos that can be loaded, newest Seedance videos first, as ComfyUI annotates file names."""
    videos, uploads = videos_folder(), Path(folder_paths.get_input_directory())
    made = sorted(_video_files(videos), reverse=True)
    return [
        *(f"{VIDEO_FOLDER}/{name} [output]" for _, name in made),
        *sorted(name for _, name in _video_files(uploads)),
    ]


def find_video(choice: object) -> Path | None:
    """The video behind a choice, whatever a workflow has put there, if it lies in one of ComfyUI's folders.

    Symbolic links are resolved. What does not end as a video's name is none: a playlist would open other files, too.
    """
    if not isinstance(choice, str):
        return None
    name, root = folder_paths.annotated_filepath(choice)
    path = PurePath(name)
    # Only what leads down from the folder. On Windows, merely to look at another machine's signs in.
    if path.drive or path.root or ".." in path.parts or not name.lower().endswith(_VIDEO_ENDINGS):
        return None
    try:
        folder = Path(root or folder_paths.get_input_directory()).resolve()
        file = (folder / name).resolve()
        return file if file.is_relative_to(folder) and file.is_file() else None
    except (OSError, ValueError, RuntimeError):
        # A name that is too long, has a NUL in it, or leads in a circle.
        return None


def _video_files(folder: Path) -> list[tuple[float, str]]:
    """The times at which a folder's videos were changed, and their names."""
    found = []
    with suppress(OSError):  # not there yet, or not readable: the list of nodes must come up all the same
        for file in folder.iterdir():
            if file.suffix.lower() in _VIDEO_ENDINGS and not file.name.startswith("."):
                with suppress(OSError):  # just deleted
                    if file.is_file():
                        found.append((file.stat().st_mtime, file.name))
    return found
