"""The files that ComfyUI lets this pack read, write and show."""

from __future__ import annotations

from collections.abc import Iterator
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
