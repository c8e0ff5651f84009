"""The files that ComfyUI lets this pack read, write and show. Links that the user has put there are followed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
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
        io.FolderType.output: folder_paths.get_output_directory(),
        io.FolderType.input: folder_paths.get_input_directory(),
        io.FolderType.temp: folder_paths.get_temp_directory(),
    }
    shown = []
    for file in files:
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
    """The video behind a choice, whatever a workflow has put there, if its name leads into one of ComfyUI's folders.

    What does not end as a video's name is none: a playlist would open other files, too.
    """
    if not isinstance(choice, str):
        return None
    name, root = folder_paths.annotated_filepath(choice)
    folder = Path(root or folder_paths.get_input_directory())
    # By the text alone, as the system reads `..`, drives, devices and trailing dots: a link is no way out that a
    # workflow can make, but on Windows merely to look at another machine's file signs in there.
    file = Path(os.path.abspath(folder / name))  # noqa: PTH100 - `Path.resolve` follows links
    if not file.is_relative_to(folder) or file.suffix.lower() not in _VIDEO_ENDINGS:
        return None
    with suppress(OSError, ValueError):  # a name that is too long or has a NUL in it
        return file if file.is_file() else None
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
