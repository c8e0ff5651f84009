"""The videos in ComfyUI's folders: which can be loaded, where a chosen one is, and how they are shown on a node.

Links that the user has put into those folders are followed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import folder_paths
from comfy_api.latest import io, ui

from ..files import REHEARSAL_FOLDER, VIDEO_FOLDER

MADE_FOLDERS: Final = (VIDEO_FOLDER, f"{VIDEO_FOLDER}/{REHEARSAL_FOLDER}")
SEARCHED_FOLDERS: Final = (*MADE_FOLDERS, "video")
"""Folders inside ComfyUI's output folder in which a video is looked for if a workflow names none. The last one is Save
Video's."""
_VIDEO_ENDINGS: Final = (".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi")


def preview(files: tuple[Path, ...]) -> ui.PreviewVideo:
    """Players on the node for those of the files that lie in a folder that ComfyUI serves."""
    roots = {kind: Path(folder_paths.get_directory_by_type(kind.value)) for kind in io.FolderType}
    shown = []
    for file in files:
        if kind := next((kind for kind, root in roots.items() if file.is_relative_to(root)), None):
            folder = file.parent.relative_to(roots[kind]).as_posix()
            shown.append(ui.SavedResult(file.name, "" if folder == "." else folder, kind))
    return ui.PreviewVideo(shown)


def video_choices() -> list[str]:
    """The videos that can be loaded, as ComfyUI annotates file names: Seedance's, then what is in the input folder,
    newest first."""
    output = Path(folder_paths.get_output_directory())
    made = [(*found, folder) for folder in MADE_FOLDERS for found in _video_files(output / folder)]
    uploads = sorted(_video_files(Path(folder_paths.get_input_directory())), reverse=True)
    return [
        *(f"{folder}/{name} [output]" for _, name, folder in sorted(made, reverse=True)),
        *(name for _, name in uploads),
    ]


def find_video(choice: object) -> Path | None:
    """The file of a choice if its name leads into one of ComfyUI's folders. A workflow may put any value there.

    Only names with the ending of a video count: a playlist would open other files, too. A name without a folder is also
    looked for in the folders of saved videos, since some of ComfyUI's lists leave the folder out.
    """
    if not isinstance(choice, str):
        return None
    name, root = folder_paths.annotated_filepath(choice)
    output = folder_paths.get_output_directory()
    folders = [Path(root or folder_paths.get_input_directory())]
    if name == os.path.basename(name) and root in (None, output):  # noqa: PTH119 - of a text that may be anything
        folders += [Path(output, folder) for folder in SEARCHED_FOLDERS]
    return next(filter(None, (_video_in(folder, name) for folder in folders)), None)


def _video_in(folder: Path, name: str) -> Path | None:
    # Judged by the text alone, with `..`, drives, devices and trailing dots as the system reads them. A link may lead
    # out, since no workflow can make one; but on Windows, merely looking at another machine's file signs in there.
    file = Path(os.path.abspath(folder / name))  # noqa: PTH100 - `Path.resolve` follows links
    if not file.is_relative_to(folder) or file.suffix.lower() not in _VIDEO_ENDINGS:
        return None
    with suppress(OSError, ValueError):  # a name that is too long or has a NUL in it
        return file if file.is_file() else None
    return None


def _video_files(folder: Path) -> list[tuple[float, str]]:
    found = []
    # The folder may be missing or unreadable; the list of nodes must be shown anyway.
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(_VIDEO_ENDINGS) and not entry.name.startswith("."):
                with suppress(OSError):  # just deleted
                    if entry.is_file():
                        found.append((entry.stat().st_mtime, entry.name))
    return found
